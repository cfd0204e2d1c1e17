"""The profile as data: every line of it is there, and whoever takes one away is told so here."""

import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import hardening
from sandbox.hardening import Body, Labels, idle_config, runner_config, seccomp_profile
from sandbox.profiles import PROFILES, Profile

LABELS = Labels(lease="lease", owner="owner", home="home", task_id="task", deadline=1234.5)
MIB = 1024 * 1024

PROFILE = Profile(
    name="odd", memory=300 * MIB, workspace=70 * MIB, scratch=30 * MIB, cpus=1.5, pids=99, inodes=777, open_files=55,
    file_size=9 * MIB,
)  # fmt: skip

BODY = Body(image="image:tag", profile=PROFILE, uid=31_000, labels=LABELS)

EXPECTED_HOST_CONFIG: dict[str, Any] = {
    "AutoRemove": True,
    "Runtime": "runc",
    "NetworkMode": "none",
    "CapDrop": ["ALL"],
    "CapAdd": ["SETUID", "SETGID", "KILL"],
    "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp_profile()}"],
    "ReadonlyRootfs": True,
    "Tmpfs": {
        "/workspace": "exec,nosuid,nodev,size=73400320,nr_inodes=777,uid=31000,gid=31000,mode=0755",
        "/tmp": "exec,nosuid,nodev,size=31457280,nr_inodes=777,mode=1777",
    },
    "ShmSize": 16 * MIB,
    "PidsLimit": 99,
    "Sysctls": hardening.SYSCTLS,
    "Memory": 300 * MIB,
    "MemorySwap": 300 * MIB,
    "NanoCpus": 1_500_000_000,
    "Ulimits": [
        {"Name": "nofile", "Soft": 55, "Hard": 55},
        {"Name": "fsize", "Soft": 9 * MIB, "Hard": 9 * MIB},
        {"Name": "core", "Soft": 0, "Hard": 0},
    ],
    "IpcMode": "private",
    "CgroupnsMode": "private",
    "LogConfig": {"Type": "none", "Config": {}},
}

DENIED = """
    io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key ptrace process_vm_readv
    process_vm_writev pidfd_getfd kcmp mount umount umount2 pivot_root chroot unshare setns move_mount open_tree fsopen
    fsconfig fsmount fspick mount_setattr bpf perf_event_open userfaultfd init_module finit_module delete_module
    kexec_load kexec_file_load reboot swapon swapoff syslog acct quotactl quotactl_fd settimeofday stime clock_settime
    open_by_handle_at name_to_handle_at lookup_dcookie iopl ioperm modify_ldt vhangup sethostname setdomainname
    nfsservctl uselib ustat sysfs _sysctl create_module get_kernel_syms query_module mbind set_mempolicy move_pages
    migrate_pages fanotify_init fanotify_mark io_setup io_submit io_destroy io_cancel io_getevents io_pgetevents
    remap_file_pages
"""


def rules(name: str) -> list[dict[str, Any]]:
    """The rules of the seccomp profile for a system call."""
    return [rule for rule in json.loads(seccomp_profile())["syscalls"] if name in rule["names"]]


def allowed_values(name: str) -> set[tuple[int | None, int | None, int | None]]:
    """The first three arguments with which a call is let through; None where any value is."""
    found = set()
    for rule in rules(name):
        assert rule["action"] == "SCMP_ACT_ALLOW"
        values: list[int | None] = [None, None, None]
        for condition in rule["args"]:
            masked = condition["op"] == "SCMP_CMP_MASKED_EQ"
            assert masked or condition["op"] == "SCMP_CMP_EQ"
            # Above the kind of a socket are its flags.
            assert not masked or (condition["index"], condition["value"]) == (1, 0xF)
            values[condition["index"]] = condition["valueTwo" if masked else "value"]
        found.add((values[0], values[1], values[2]))
    return found


def test_every_line_of_the_host_configuration_is_there_and_no_other() -> None:
    assert runner_config(BODY, 900.0)["HostConfig"] == EXPECTED_HOST_CONFIG


def test_the_container_runs_our_runner_attached_and_without_a_network() -> None:
    config = runner_config(BODY, 900.0)
    del config["HostConfig"]

    assert config.pop("Entrypoint") == ["python3", "-I", "-S", "-c", hardening.BOOT]
    assert config == {
        "Image": "image:tag", "User": "0:0", "WorkingDir": "/workspace", "Hostname": "sandbox",
        "Cmd": ["/workspace", "31000", "900.0"], "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
        "Labels": {
            "soundstage": "owner", "soundstage.task": "task", "soundstage.lease": "lease",
            "soundstage.deadline": "1234", "soundstage.home": "home",
        },
        "AttachStdin": True, "AttachStdout": True, "AttachStderr": True, "OpenStdin": True, "StdinOnce": True,
        "Tty": False, "NetworkDisabled": True, "StopTimeout": 2,
    }  # fmt: skip


def test_a_container_without_a_runner_is_contained_alike_and_waits_for_its_end() -> None:
    runner, idle = runner_config(BODY, 900.0), idle_config(BODY, 900.0)

    assert idle.pop("Entrypoint") == ["/bin/sh", "-c"]
    assert idle.pop("Cmd") == ["trap 'exit 0' TERM; sleep 900 & wait"]
    del runner["Entrypoint"], runner["Cmd"]
    assert idle == runner


def test_the_isolation_level_changes_the_runtime_and_what_that_runtime_needs() -> None:
    plain, guarded = runner_config(BODY, 900.0), runner_config(BODY.model_copy(update={"runtime": "runsc"}), 900.0)

    assert (plain["HostConfig"].pop("Runtime"), guarded["HostConfig"].pop("Runtime")) == ("runc", "runsc")
    for config in (plain, guarded):
        config["HostConfig"].pop("PidsLimit")
        config["HostConfig"].pop("SecurityOpt")
        config["HostConfig"].pop("Sysctls", None)
    assert guarded == plain


@settings(deadline=None)
@given(st.text(max_size=50), st.text(max_size=50))
def test_what_a_task_is_called_reaches_nothing_but_its_label(task: str, owner: str) -> None:
    named = BODY.model_copy(update={"labels": LABELS.model_copy(update={"task_id": task, "owner": owner})})

    config = runner_config(named, 900.0)

    labels = config.pop("Labels")
    assert (labels["soundstage.task"], labels["soundstage"]) == (task, owner)
    plain = runner_config(BODY, 900.0)
    del plain["Labels"]
    assert config == plain


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_gives_a_configuration_of_its_own_limits(name: str) -> None:
    host = runner_config(BODY.model_copy(update={"profile": PROFILES[name]}), 900.0)["HostConfig"]

    assert host["Memory"] == host["MemorySwap"] == PROFILES[name].memory
    assert f"size={PROFILES[name].workspace}," in host["Tmpfs"]["/workspace"]
    assert set(host) == set(EXPECTED_HOST_CONFIG)


@pytest.mark.parametrize("name", DENIED.split())
def test_a_dangerous_call_is_on_no_list_of_allowed_ones(name: str) -> None:
    assert rules(name) == []


def test_what_is_not_listed_is_an_error_and_nothing_is_only_logged() -> None:
    profile = json.loads(seccomp_profile())

    assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)
    assert {rule["action"] for rule in profile["syscalls"]} == {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"}
    assert all(not arch["subArchitectures"] for arch in profile["archMap"])


def test_sockets_are_local_tcp_udp_or_ask_for_routes_and_pairs_are_local() -> None:
    af_unix, af_inet, af_inet6, af_netlink = 1, 2, 10, 16
    stream, datagram, tcp, udp, netlink_route = 1, 2, 6, 17, 0
    internet = {
        (family, kind, protocol)
        for family in (af_inet, af_inet6)
        for kind, protocols in ((stream, (0, tcp)), (datagram, (0, udp)))
        for protocol in protocols
    }

    assert allowed_values("socket") == {(af_unix, None, None), *internet, (af_netlink, None, netlink_route)}
    assert allowed_values("socketpair") == {(af_unix, None, None)}
    assert rules("socketcall") == []


def test_the_caches_of_the_machine_are_not_written_out_and_nobody_fails_for_it() -> None:
    for name in ("sync", "syncfs"):
        (rule,) = rules(name)
        assert (rule["action"], rule["errnoRet"]) == ("SCMP_ACT_ERRNO", 0)


def test_what_outlives_processes_is_kept_small_and_gvisor_gets_room_for_its_own_threads() -> None:
    bodies = (BODY.model_copy(update={"runtime": level}) for level in ("runc", "runsc"))
    runc, runsc = (runner_config(body, 900.0)["HostConfig"] for body in bodies)

    assert runc["Sysctls"]["kernel.shm_rmid_forced"] == "1"
    assert int(runc["Sysctls"]["kernel.shmmax"]) == runc["ShmSize"]
    assert int(runc["Sysctls"]["kernel.msgmni"]) * 16_384 <= MIB
    assert runsc["PidsLimit"] == PROFILE.pids + hardening.SENTRY_PIDS
    # gVisor has IPC of its own and takes no settings of the host's kernel.
    assert {name for name in runc if name not in runsc} == {"Sysctls"}


def test_a_new_process_gets_no_namespace_of_its_own() -> None:
    namespaces = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000

    (clone,) = rules("clone")
    (condition,) = clone["args"]
    assert (condition["op"], condition["value"], condition["valueTwo"]) == ("SCMP_CMP_MASKED_EQ", namespaces, 0)
    (clone3,) = rules("clone3")
    assert (clone3["action"], clone3["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)


def test_no_call_is_allowed_twice_and_the_compact_form_says_the_same_as_the_file() -> None:
    listed = json.loads(seccomp_profile())["syscalls"][0]["names"]

    assert len(listed) == len(set(listed))
    file = resources.files("sandbox").joinpath("seccomp.json").read_text(encoding="utf-8")
    assert json.loads(file) == json.loads(seccomp_profile())
    assert "\n" not in seccomp_profile()


def test_gvisor_decides_itself_over_the_call_that_starts_threads_and_over_no_other() -> None:
    usual, guarded = (json.loads(seccomp_profile(runtime))["syscalls"] for runtime in ("runc", "runsc"))

    different = [(one, other) for one, other in zip(usual, guarded, strict=True) if one != other]
    assert [(one["names"], one["action"], other["action"]) for one, other in different] == [
        (["clone3"], "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW")
    ]
