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


class Lease(Value):
    """Whose container it is, and until when. ``owner`` is the instance; ``deadline`` is Unix seconds."""

    id: str
    owner: str
    home: str
    task_id: str
    deadline: float
    lifetime_s: float
    uid: int


@cache
def seccomp_profile() -> str:
    """Our seccomp profile as compact JSON, the form in which the engine's API takes it."""
    text = resources.files("sandbox").joinpath("seccomp.json").read_text(encoding="utf-8")
    return json.dumps(json.loads(text), separators=(",", ":"))


def container_config(image: str, profile: Profile, lease: Lease, runtime: str = "runc") -> dict[str, Any]:
    """The body of the engine's ``POST /containers/create``."""
    return {
        "Image": image,
        "User": "0:0",
        "WorkingDir": WORKSPACE,
        "Hostname": "sandbox",
        "Entrypoint": ["python3", "-I", "-S", "-c", BOOT],
        "Cmd": [WORKSPACE, str(lease.uid), str(lease.lifetime_s)],
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
        "Labels": {
            LABEL: lease.owner,
            TASK_LABEL: lease.task_id,
            LEASE_LABEL: lease.id,
            DEADLINE_LABEL: f"{lease.deadline:.0f}",
            HOME_LABEL: lease.home,
        },
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "Tty": False,
        "NetworkDisabled": True,
        "StopTimeout": 2,
        "HostConfig": _host_config(profile, lease.uid) | _of_runtime(profile, runtime),
    }


def _of_runtime(profile: Profile, runtime: str) -> dict[str, Any]:
    if runtime.startswith("runsc"):
        return {"Runtime": runtime, "PidsLimit": profile.pids + SENTRY_PIDS}
    return {"Runtime": runtime, "PidsLimit": profile.pids, "Sysctls": SYSCTLS}


def _host_config(profile: Profile, uid: int) -> dict[str, Any]:
    return {
        "AutoRemove": True,
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp_profile()}"],
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
