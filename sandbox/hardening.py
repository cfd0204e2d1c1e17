"""The hardened profile of every container, as pure data for the engine's create call.

Source: docs/security.md, which says of each line what it is against.
"""

import json
from functools import cache
from importlib import resources
from typing import Any

from domain.base import Value
from sandbox.profiles import Profile

WORKSPACE = "/workspace"
SCRATCH = "/tmp"  # noqa: S108 - a path in the container, private to it
RUNNER_FOLDER = "/opt/soundstage"
BOOT = f"import sys; sys.path.insert(0, '{RUNNER_FOLDER}'); from runner.server import main; main(sys.argv[1:])"
LABEL, TASK_LABEL, LEASE_LABEL = "soundstage", "soundstage.task", "soundstage.lease"
DEADLINE_LABEL, HOME_LABEL = "soundstage.deadline", "soundstage.home"
CAPABILITIES = ("SETUID", "SETGID", "KILL")
SENTRY_PIDS = 192
"""Threads that gVisor's own kernel and its copies of the programs' threads need on top of a profile's processes."""

SYSCTLS = {
    "kernel.shm_rmid_forced": "1",
    "kernel.shmmax": str(16 * 1024 * 1024),
    "kernel.shmall": "4096",
    "kernel.shmmni": "64",
    "kernel.msgmni": "16",
    "kernel.sem": "250 4000 100 16",
}
"""SysV memory, queues and semaphores outlive every process: what a command leaves in them is kept small. Runtimes with
a kernel of their own take no such settings."""


class Labels(Value):
    """Whose container it is, and until when. ``owner`` is the instance; ``deadline`` is Unix seconds."""

    lease: str
    owner: str
    home: str
    task_id: str
    deadline: float


class Body(Value):
    """What a container is to be: its image, its limits, the OCI runtime, the uid of all that runs in it."""

    image: str
    profile: Profile
    runtime: str = "runc"
    uid: int
    labels: Labels


@cache
def seccomp_profile(runtime: str = "runc") -> str:
    """Our seccomp profile as compact JSON, the form in which the engine's API takes it.

    gVisor answers a refused call with EPERM, whatever error the profile names; for ``clone3`` that would end every
    thread's start, so it is left to gVisor's own kernel there, which has no such call or keeps what it does inside.
    """
    text = resources.files("sandbox").joinpath("seccomp.json").read_text(encoding="utf-8")
    profile = json.loads(text)
    if runtime.startswith("runsc"):
        for rule in profile["syscalls"]:
            if rule["names"] == ["clone3"]:
                rule["action"] = "SCMP_ACT_ALLOW"
                del rule["errnoRet"]
    return json.dumps(profile, separators=(",", ":"))


def runner_config(body: Body, lifetime_s: float) -> dict[str, Any]:
    """The body of the engine's ``POST /containers/create`` for a container whose PID 1 is our runner."""
    entrypoint = ["python3", "-I", "-S", "-c", BOOT]
    return _config(body, entrypoint, [WORKSPACE, str(body.uid), str(lifetime_s)])


def idle_config(body: Body, lifetime_s: float) -> dict[str, Any]:
    """The same for an image without Python: PID 1 waits until the lifetime is over."""
    return _config(body, ["/bin/sh", "-c"], [f"trap 'exit 0' TERM; sleep {lifetime_s:.0f} & wait"])


def _config(body: Body, entrypoint: list[str], arguments: list[str]) -> dict[str, Any]:
    labels = body.labels
    return {
        "Image": body.image,
        "User": "0:0",
        "WorkingDir": WORKSPACE,
        "Hostname": "sandbox",
        "Entrypoint": entrypoint,
        "Cmd": arguments,
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
        "Labels": {
            LABEL: labels.owner,
            TASK_LABEL: labels.task_id,
            LEASE_LABEL: labels.lease,
            DEADLINE_LABEL: f"{labels.deadline:.0f}",
            HOME_LABEL: labels.home,
        },
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "Tty": False,
        "NetworkDisabled": True,
        "StopTimeout": 2,
        "HostConfig": _host_config(body.profile, body.uid) | _of_runtime(body.profile, body.runtime),
    }


def _of_runtime(profile: Profile, runtime: str) -> dict[str, Any]:
    security = ["no-new-privileges", f"seccomp={seccomp_profile(runtime)}"]
    if runtime.startswith("runsc"):
        return {"Runtime": runtime, "SecurityOpt": security, "PidsLimit": profile.pids + SENTRY_PIDS}
    return {"Runtime": runtime, "SecurityOpt": security, "PidsLimit": profile.pids, "Sysctls": SYSCTLS}


def _host_config(profile: Profile, uid: int) -> dict[str, Any]:
    return {
        "AutoRemove": True,
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "ReadonlyRootfs": True,
        "Tmpfs": {
            WORKSPACE: _tmpfs(profile.workspace, profile.inodes, f"uid={uid},gid={uid},mode=0755"),
            SCRATCH: _tmpfs(profile.scratch, profile.inodes, "mode=1777"),
        },
        "ShmSize": 16 * 1024 * 1024,
        "Memory": profile.memory,
        "MemorySwap": profile.memory,
        "NanoCpus": int(profile.cpus * 1_000_000_000),
        "Ulimits": [
            {"Name": "nofile", "Soft": profile.open_files, "Hard": profile.open_files},
            {"Name": "fsize", "Soft": profile.file_size, "Hard": profile.file_size},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "LogConfig": {"Type": "none", "Config": {}},
    }


def _tmpfs(size: int, inodes: int, more: str) -> str:
    return f"exec,nosuid,nodev,size={size},nr_inodes={inodes},{more}"
