"""What holds of a live sandbox: each hardening property, with what was found from outside and from inside."""

import json
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.base import Value
from domain.command import Command
from domain.errors import SandboxLost
from sandbox.base import Sandbox
from sandbox.hardening import CAPABILITIES, SCRATCH, WORKSPACE

ALLOWED_WRITABLE = {WORKSPACE, SCRATCH, "/dev/shm", "/dev/mqueue"}  # noqa: S108 - paths in the container
NO_CAPABILITIES = "0000000000000000"


class Property(Value):
    """One property: whether it holds, and what was found."""

    name: str
    holds: bool
    found: str


class Facts(BaseModel):
    """What a program in the sandbox sees. It is read strictly: it was written inside."""

    model_config = ConfigDict(extra="forbid")

    uid: int
    status: dict[str, str] = Field(default_factory=dict)
    interfaces: list[str]
    routes: int
    root_writable: bool
    writable: list[str]
    signal_runner: str
    read_runner: str
    unshare: str
    docker_socket: bool
    environment: list[str]
    oom_score_adj: int
    core_limit: int


async def inspect(sandbox: Sandbox, seen: dict[str, Any]) -> list[Property]:
    """The properties of a leased sandbox; ``seen`` is what the engine says of its container. SandboxLost."""
    probe = resources.files("sandbox").joinpath("probe.py").read_bytes()
    result = await sandbox.run(Command(argv=("python3", "-I", "-"), stdin=probe))
    try:
        facts = Facts.model_validate(json.loads(result.stdout))
    except ValueError as error:
        raise SandboxLost(f"The sandbox could not be looked at from inside ({result.verdict}).") from error
    own_kernel = sandbox.isolation.endswith("runsc")
    return [*_from_outside(seen), *_from_inside(facts, own_kernel)]


def _from_outside(seen: dict[str, Any]) -> list[Property]:
    host = seen["HostConfig"]
    options = " ".join(host.get("SecurityOpt") or [])
    added = sorted(name.removeprefix("CAP_") for name in host.get("CapAdd") or [])
    mounts, tmpfs = seen.get("Mounts"), host.get("Tmpfs") or {}
    limits = {limit["Name"] for limit in host.get("Ulimits") or []}
    found = [
        ("network mode is none", host["NetworkMode"] == "none", host["NetworkMode"]),
        ("all capabilities dropped", host.get("CapDrop") == ["ALL"], f"dropped {host.get('CapDrop')}"),
        ("only the runner's capabilities added", added == sorted(CAPABILITIES), ", ".join(added)),
        ("no new privileges", "no-new-privileges" in options, "set" if "no-new-privileges" in options else "not set"),
        ("our seccomp profile", "seccomp={" in options, "set" if "seccomp={" in options else "the engine's or none"),
        ("read-only root file system", bool(host["ReadonlyRootfs"]), str(host["ReadonlyRootfs"])),
        ("memory limit, no swap", 0 < host["Memory"] == host["MemorySwap"], f"{host['Memory'] >> 20} MiB"),
        ("processor limit", host["NanoCpus"] > 0, f"{host['NanoCpus'] / 1e9:g} cores"),
        ("process limit", (host["PidsLimit"] or 0) > 0, str(host["PidsLimit"])),
        ("limits of open files, file sizes, dumps", limits >= {"core", "fsize", "nofile"}, ", ".join(sorted(limits))),
        (
            "sized memory file systems",
            _sized(tmpfs),
            "; ".join(f"{place} {options}" for place, options in tmpfs.items()),
        ),
        ("not privileged", not host["Privileged"], str(host["Privileged"])),
        ("no host namespaces", _private(host), f"ipc {host['IpcMode']}, pid {host['PidMode'] or 'private'}"),
        ("no mounts from the host", not host.get("Binds") and not mounts, str(mounts or "none")),
        ("no devices", not host.get("Devices"), str(host.get("Devices") or "none")),
        ("nothing logged by the engine", host["LogConfig"]["Type"] == "none", host["LogConfig"]["Type"]),
        ("removed by the engine at its end", bool(host["AutoRemove"]), str(host["AutoRemove"])),
    ]
    return [Property(name=name, holds=holds, found=what) for name, holds, what in found]


def _sized(tmpfs: dict[str, str]) -> bool:
    wanted = ("size=", "nr_inodes=", "nosuid", "nodev")
    return {WORKSPACE, SCRATCH} <= set(tmpfs) and all(word in line for line in tmpfs.values() for word in wanted)


def _private(host: dict[str, Any]) -> bool:
    return host["IpcMode"] == host["CgroupnsMode"] == "private" and not host["PidMode"] and host["UTSMode"] != "host"


def _from_inside(facts: Facts, own_kernel: bool) -> list[Property]:
    status = facts.status
    capabilities = {name: status.get(name, NO_CAPABILITIES) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")}
    held = [f"{name} {value}" for name, value in capabilities.items() if int(value, 16)]
    strange = sorted(set(facts.writable) - ALLOWED_WRITABLE)
    privileges = status.get("NoNewPrivs", "not shown")
    secrets = [name for name in facts.environment if any(word in name for word in ("KEY", "TOKEN", "SECRET", "PASSW"))]
    found = [
        ("commands are not root", facts.uid > 0, f"uid {facts.uid}"),
        ("commands hold no capability", not held, ", ".join(held) or "none"),
        (
            "commands cannot gain privileges",
            privileges == "1" or (own_kernel and privileges == "not shown"),
            privileges,
        ),
        (
            "system calls are filtered",
            status.get("Seccomp", "2" if own_kernel else "0") in {"1", "2"},
            _mode(status.get("Seccomp")),
        ),
        ("only the loopback interface", facts.interfaces == ["lo"], ", ".join(facts.interfaces) or "none"),
        ("no route anywhere", facts.routes == 0, f"{facts.routes} routes"),
        ("the root cannot be written", not facts.root_writable, str(facts.root_writable)),
        ("nothing else is writable", not strange, ", ".join(strange) or ", ".join(sorted(facts.writable))),
        ("the runner cannot be signalled", facts.signal_runner == "EPERM", facts.signal_runner),
        ("the runner's channel cannot be opened", facts.read_runner != "opened", facts.read_runner),
        ("no user namespaces", facts.unshare != "done", facts.unshare),
        ("no engine socket", not facts.docker_socket, "there" if facts.docker_socket else "none"),
        ("no secrets in the environment", not secrets, ", ".join(secrets) or ", ".join(facts.environment)),
        ("ended first when memory is short", facts.oom_score_adj == 1000 or own_kernel, str(facts.oom_score_adj)),
        ("no core dumps", facts.core_limit == 0, str(facts.core_limit)),
    ]
    return [Property(name=name, holds=holds, found=what) for name, holds, what in found]


def _mode(seccomp: str | None) -> str:
    return {"0": "off", "1": "strict", "2": "filter"}.get(seccomp or "", "done by the isolation's own kernel")
