"""How much a sandbox may use, as data."""

from pydantic import Field

from domain.base import Value
from domain.errors import UsageError

MIB = 1024 * 1024


class Profile(Value):
    """Limits of one container. Memory, workspace, scratch and file sizes are bytes; ``cpus`` is cores.

    The workspace and the scratch space are held in memory and count against ``memory``.
    """

    name: str
    memory: int
    workspace: int
    scratch: int
    cpus: float = Field(gt=0)
    pids: int = 128
    inodes: int = 50_000
    open_files: int = 1024
    file_size: int = 64 * MIB


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(name="small", memory=256 * MIB, workspace=64 * MIB, scratch=32 * MIB, cpus=0.5, pids=64),
        Profile(name="default", memory=1024 * MIB, workspace=384 * MIB, scratch=128 * MIB, cpus=1.0),
        Profile(name="large", memory=4096 * MIB, workspace=1536 * MIB, scratch=512 * MIB, cpus=2.0, pids=512),
        Profile(
            name="install",
            memory=3072 * MIB,
            workspace=2048 * MIB,
            scratch=128 * MIB,
            cpus=2.0,
            pids=512,
            inodes=200_000,
            file_size=1024 * MIB,
        ),
    )
}


def profile(name: str) -> Profile:
    """The profile of that name; UsageError with the names there are."""
    if name not in PROFILES:
        raise UsageError(f"There is no sandbox profile {name!r}. Use one of: {', '.join(sorted(PROFILES))}.")
    return PROFILES[name]
