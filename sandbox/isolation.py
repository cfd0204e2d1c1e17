"""The isolation levels, as data: how a container is kept from its host."""

from domain.base import Value
from domain.errors import UsageError


class Isolation(Value):
    """A level: its name, the OCI runtime that gives it, and what it means."""

    name: str
    runtime: str
    title: str


LEVELS = {
    level.name: level
    for level in (
        Isolation(name="runc", runtime="runc", title="namespaces, seccomp and no capabilities on the host's kernel"),
        Isolation(name="runsc", runtime="runsc", title="gVisor: a kernel of its own in user space"),
    )
}


def runtime(name: str) -> str:
    """The OCI runtime of a level; UsageError with the names there are."""
    if name not in LEVELS:
        raise UsageError(f"There is no isolation {name!r}. Use one of: {', '.join(sorted(LEVELS))}.")
    return LEVELS[name].runtime
