"""The hardened profile, as the code in the sandbox meets it and as the engine describes it."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.command import CommandResult, Verdict, shell
from domain.errors import SandboxLost, TransferFailed
from sandbox import hardening
from sandbox.base import Sandbox
from sandbox.node import FIRST_UID, LAST_UID
from sandbox.profiles import PROFILES
from tests.sandbox.contract import assert_usable, output, python, tree
from tests.sandbox.docker_place import DockerPlace

SMALL = PROFILES["small"]
BOMB = "held = []\nwhile True: held.append(bytearray(8 << 20))"


@pytest.fixture
async def sandbox(place: DockerPlace) -> AsyncIterator[Sandbox]:
    """A leased sandbox of the small profile."""
    async with place.lease() as leased:
        yield leased


async def told(sandbox: Sandbox, script: str) -> Any:
    """What a Python script prints as JSON."""
    result = await sandbox.run(python(f"import json, os\n{script}"))
    assert result.ok, result
    return json.loads(result.stdout)


async def test_a_child_has_a_user_of_its_own_and_no_privilege(sandbox: Sandbox) -> None:
    script = "print(json.dumps([line.split(':', 1) for line in open('/proc/self/status')]))"
    status = {name: value.split() for name, value in await told(sandbox, script)}

    assert sandbox.isolation == "docker/runc"
    for ids in (status["Uid"], status["Gid"]):
        assert len(set(ids)) == 1
        assert FIRST_UID < int(ids[0]) <= LAST_UID
    assert status["Groups"] in ([], status["Gid"][:1])
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[name][0], 16) == 0, name
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])
    assert await output(sandbox, "cat /proc/self/oom_score_adj") == "1000"


async def test_the_runner_holds_three_capabilities_and_no_more(sandbox: Sandbox) -> None:
    names = {"KILL": 5, "SETGID": 6, "SETUID": 7}
    expected = f"{sum(1 << names[name] for name in hardening.CAPABILITIES):016x}"

    for line in ("CapPrm", "CapEff", "CapBnd"):
        assert await output(sandbox, f"sed -n 's/^{line}:\\t//p' /proc/1/status") == expected


async def test_nothing_can_be_written_but_the_workspace_and_the_scratch_space(sandbox: Sandbox) -> None:
    script = """
written = []
for folder, folders, _ in os.walk('/'):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ('/proc', '/sys')]
    try:
        open(os.path.join(folder, 'probe'), 'w').close()
    except OSError:
        continue
    written.append(folder)
    os.unlink(os.path.join(folder, 'probe'))
print(json.dumps(sorted(written)))
"""
    assert await told(sandbox, script) == ["/dev/mqueue", "/dev/shm", "/tmp", "/workspace"]
    for file in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"):
        assert not (await sandbox.run(shell(f"echo x > {file}"))).ok


async def test_the_network_is_one_loopback_interface_without_routes(sandbox: Sandbox) -> None:
    assert await output(sandbox, "ls /sys/class/net") == "lo"
    assert await output(sandbox, "tail -n +2 /proc/net/route") == ""
    assert await output(sandbox, "awk '$NF != \"lo\"' /proc/net/ipv6_route") == ""
    connect = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    assert b"Network is unreachable" in (await sandbox.run(python(connect))).stderr


async def test_sizes_and_limits_are_those_of_the_profile(sandbox: Sandbox) -> None:
    script = """
import resource
def first(*paths):
    return next(int(open(path).read()) for path in paths if os.path.exists(path))
cgroup = '/sys/fs/cgroup/'
sizes = {}
for path in ('/workspace', '/tmp', '/dev/shm'):
    seen = os.statvfs(path)
    sizes[path] = [seen.f_blocks * seen.f_frsize, seen.f_files, bool(seen.f_flag & os.ST_NOSUID), bool(seen.f_flag & 4)]
print(json.dumps({
    'pids': first(cgroup + 'pids/pids.max', cgroup + 'pids.max'),
    'memory': first(cgroup + 'memory/memory.limit_in_bytes', cgroup + 'memory.max'),
    'sizes': sizes,
    'limits': [resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) for name in ('NOFILE', 'FSIZE', 'CORE')],
}))
"""
    seen = await told(sandbox, script)

    assert (seen["pids"], seen["memory"]) == (SMALL.pids, SMALL.memory)
    nosuid = nodev = True
    assert seen["sizes"]["/workspace"] == [SMALL.workspace, SMALL.inodes, nosuid, nodev]
    assert seen["sizes"]["/tmp"] == [SMALL.scratch, SMALL.inodes, nosuid, nodev]
    assert seen["sizes"]["/dev/shm"][0] == 16 << 20
    assert seen["limits"] == [[limit, limit] for limit in (SMALL.open_files, SMALL.file_size, 0)]


ATTACKS = """
kill -9 1
kill -STOP 1
kill -TERM 1
ls /proc/1/fd/
cat /proc/1/mem
cat /proc/1/environ
cat /proc/1/maps
echo garbage > /proc/1/fd/1
cat /proc/1/root/etc/hostname
echo -1000 > /proc/self/oom_score_adj
echo 1000 > /proc/1/oom_score_adj
chmod 777 /workspace/..
chown 0:0 .
mount -t tmpfs none /workspace
mknod device c 1 1
"""


async def test_a_child_cannot_reach_the_runner_and_gains_nothing(sandbox: Sandbox) -> None:
    succeeded = [
        attack
        for attack in ATTACKS.strip().splitlines()
        if (await sandbox.run(shell(attack))).verdict is not Verdict.FAILED
    ]

    assert succeeded == []
    await assert_usable(sandbox)


async def test_killing_and_stopping_everybody_ends_only_the_children(sandbox: Sandbox) -> None:
    for number in ("9", "STOP", "TERM"):
        await sandbox.run(shell(f"sleep 60 & kill -{number} -1", timeout_s=2))
        await assert_usable(sandbox)


SYSTEM_CALLS = {
    "ptrace": (101, 16, 1, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "unshare(NEWUSER)": (272, 0x10000000),
    "mount": (165, 0, 0, 0, 0, 0),
    "keyctl": (250, 0, 0),
    "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, 0, 0, 0),
    "io_uring_setup": (425, 1, 0),
    "userfaultfd": (323, 0),
    "socket(AF_VSOCK)": (41, 40, 1, 0),
    "socket(AF_PACKET)": (41, 17, 3, 0),
    "clone(NEWUSER)": (56, 0x10000000 | 17, 0, 0, 0, 0),
}
"""Numbers and arguments on x86-64."""


async def test_the_kernel_refuses_what_the_seccomp_profile_does_not_list(sandbox: Sandbox) -> None:
    assert await output(sandbox, "uname -m") == "x86_64"
    script = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    result = libc.syscall(*(ctypes.c_long(number) for number in numbers))
    return [result, ctypes.get_errno()]
print(json.dumps({{name: call(*numbers) for name, numbers in {SYSTEM_CALLS!r}.items()}}))
"""

    assert await told(sandbox, script) == {name: [-1, 1] for name in SYSTEM_CALLS}


async def test_the_engine_holds_the_container_to_the_profile(place: DockerPlace, sandbox: Sandbox) -> None:
    seen = place.inspect()

    labels, host = seen["Config"]["Labels"], seen["HostConfig"]
    assert labels[hardening.HOME_LABEL] == place.instance.home
    assert labels[hardening.TASK_LABEL] == "a-task"
    assert seen["Name"] == f"/soundstage-{labels[hardening.LEASE_LABEL]}"
    assert float(labels[hardening.DEADLINE_LABEL]) > 0
    expected = {
        "AutoRemove": True, "Privileged": False, "NetworkMode": "none", "ReadonlyRootfs": True, "Binds": None,
        "CapDrop": ["ALL"], "PidsLimit": SMALL.pids, "Memory": SMALL.memory, "MemorySwap": SMALL.memory,
        "NanoCpus": 500_000_000, "ShmSize": 16 << 20, "IpcMode": "private", "CgroupnsMode": "private", "PidMode": "",
        "UTSMode": "", "LogConfig": {"Type": "none", "Config": {}},
    }  # fmt: skip
    assert {name: host[name] for name in expected} == expected
    assert not host["Devices"]
    assert not host["PortBindings"]
    assert sorted(name.removeprefix("CAP_") for name in host["CapAdd"]) == sorted(hardening.CAPABILITIES)
    assert "no-new-privileges" in host["SecurityOpt"]
    assert f"seccomp={hardening.seccomp_profile()}" in host["SecurityOpt"]
    assert seen["Mounts"] == []
    assert seen["NetworkSettings"]["Ports"] == {}


async def test_the_keys_of_the_service_do_not_reach_the_container(
    place: DockerPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "sk-canary-2f61"
    monkeypatch.setenv("OPENAI_API_KEY", canary)
    monkeypatch.setenv("SOUNDSTAGE_ANYTHING", canary)

    async with place.lease() as sandbox:
        assert canary not in json.dumps(place.inspect())
        assert canary not in await output(sandbox, "env; cat /proc/self/environ; cat /proc/1/cmdline | tr '\\0' ' '")
        assert sorted((await told(sandbox, "print(json.dumps(dict(os.environ)))")).keys()) == [
            "HOME", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED",
        ]  # fmt: skip


@pytest.mark.parametrize("end", ["exit 0", "exit 3"])
async def test_a_program_whose_child_runs_out_of_memory_is_oom_whatever_it_says_itself(
    sandbox: Sandbox, end: str
) -> None:
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BOMB!r}])\nsys.{end.replace(' ', '(')})"

    result = await sandbox.run(python(script))

    assert result.verdict is Verdict.OOM, result
    await assert_usable(sandbox)


async def test_a_memory_bomb_is_oom_and_ends_alone(sandbox: Sandbox) -> None:
    result = await sandbox.run(python(f"print('started', flush=True)\n{BOMB}"))

    assert (result.verdict, result.exit_code, result.stdout) == (Verdict.OOM, None, b"started\n")
    await assert_usable(sandbox)
    assert (await sandbox.run(shell("exit 1"))).verdict is Verdict.FAILED


async def test_a_container_killed_after_an_earlier_memory_bomb_is_lost_and_not_oom(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    assert (await sandbox.run(python(BOMB))).verdict is Verdict.OOM
    running = asyncio.create_task(sandbox.run(shell("sleep 60", timeout_s=60)))
    await asyncio.sleep(0.2)

    place.kill()

    with pytest.raises(SandboxLost):
        await running


async def test_a_container_that_dies_for_want_of_memory_is_oom_with_the_output_so_far(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    async with contextlib.aclosing(sandbox.stream(shell("echo started; sleep 60", timeout_s=60))) as items:
        await anext(items)
        # The kernel takes the runner last, so its end is made by hand, after that of a process beside it.
        (only,) = place.mine()
        place.client.kill(only["Id"], signal.SIGSTOP)
        bomb = place.client.exec_create(only["Id"], ["python3", "-c", BOMB])
        await asyncio.to_thread(place.client.exec_start, bomb["Id"])
        place.kill()

        result = await anext(items)

    assert isinstance(result, CommandResult)
    assert (result.verdict, result.exit_code, result.stdout) == (Verdict.OOM, None, b"started\n")


@pytest.mark.parametrize(
    "bomb",
    [
        "while True:\n    try: os.fork()\n    except OSError: pass",
        "while True:\n    try:\n        if os.fork() == 0: os.setsid()\n    except OSError: pass",
        "import threading, time\nwhile True:\n    try: threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "    except RuntimeError: pass",
    ],
    ids=["fork", "setsid", "thread"],
)
async def test_a_bomb_of_processes_is_contained_and_the_sandbox_works_after_it(sandbox: Sandbox, bomb: str) -> None:
    result = await sandbox.run(python(f"import os\n{bomb}", timeout_s=0.7))

    assert result.verdict is Verdict.TIMEOUT, result
    await assert_usable(sandbox)
    pids = await output(sandbox, "ls -d /proc/[0-9]* | wc -l")
    assert int(pids) <= 4


@pytest.mark.parametrize("how", ["setsid sh -c", "nohup sh -c"])
async def test_daemons_end_with_the_command_that_started_them(sandbox: Sandbox, how: str) -> None:
    beat = "while :; do echo x >> beat; sleep 0.02; done"

    await sandbox.run(shell(f"{how} '({beat}) & ({beat})' > /dev/null 2>&1 & until test -s beat; do sleep 0.02; done"))
    ended = await sandbox.run(shell(f"{how} '({beat}) & ({beat})' & trap '' TERM HUP; sleep 60", timeout_s=0.4))

    assert ended.verdict is Verdict.TIMEOUT
    before, after = (await output(sandbox, "wc -c < beat; sleep 0.3; wc -c < beat")).split()
    assert before == after


@pytest.mark.parametrize(("folder", "size"), [("/workspace", SMALL.workspace), ("/tmp", SMALL.scratch)])
async def test_a_full_disk_is_the_problem_of_its_program_alone(sandbox: Sandbox, folder: str, size: int) -> None:
    fill = (
        f"dd if=/dev/zero of={folder}/a bs=1M count=40; dd if=/dev/zero of={folder}/b bs=1M count=40; du -cb {folder}/?"
    )

    result = await sandbox.run(shell(fill))

    assert b"No space left on device" in result.stderr
    assert int(result.stdout.split()[-2]) <= size
    await output(sandbox, f"rm {folder}/a {folder}/b")
    await assert_usable(sandbox)


async def test_files_that_find_no_room_are_an_error_that_names_it_and_the_sandbox_goes_on(sandbox: Sandbox) -> None:
    await sandbox.run(shell("dd if=/dev/zero of=a bs=1M count=60; dd if=/dev/zero of=b bs=1k"))

    with pytest.raises(TransferFailed, match="No space left on device"):
        await sandbox.put(tree(new=b"x" * 100_000))

    await output(sandbox, "rm a b")
    await assert_usable(sandbox)


DEEP = "import os\nfor _ in range(1500): os.mkdir('a'); os.chdir('a')\nopen('file', 'w')"
LONG = "import os\nfor _ in range(16): os.mkdir('a' * 250); os.chdir('a' * 250)\nopen('b' * 250, 'w')"


@pytest.mark.parametrize("tangle", [DEEP, LONG], ids=["deep", "long"])
async def test_a_tree_too_deep_to_walk_hides_no_other_file_and_can_be_cleared(sandbox: Sandbox, tangle: str) -> None:
    assert (await sandbox.run(python(tangle))).ok
    await output(sandbox, "echo x > zzz")

    fetched = await sandbox.fetch()
    await sandbox.put(tree(new="x"), clear=True)

    assert list(fetched.change.written) == ["zzz"]
    assert await output(sandbox, "ls") == "new"
