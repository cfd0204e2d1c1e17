"""Keeping the files that a subtask names besides its tree."""

from collections.abc import Sequence

from director.equipment import Equipment
from domain.errors import HostileOutput, TransferFailed
from domain.events import ArtifactsKept
from sandbox.base import Sandbox
from sandbox.vetting import VettingLimits

MIB = 1024 * 1024
LIMITS = VettingLimits(entries=200, file_bytes=32 * MIB, total_bytes=128 * MIB)


async def keep(equipment: Equipment, sandbox: Sandbox, subtask_id: str, patterns: Sequence[str]) -> ArtifactsKept:
    """Keeps what the patterns name; what cannot be kept is said in the fact, and is no reason to fail."""
    try:
        fetched = await sandbox.collect(patterns, LIMITS)
    except (HostileOutput, TransferFailed) as error:
        return ArtifactsKept(subtask_id=subtask_id, refused=tuple(patterns), reason=str(error))
    kept = await equipment.artifacts.put(fetched.change)
    missing = "nothing was found under the named paths" if not kept and not fetched.refused else ""
    too_large = f"larger than {LIMITS.file_bytes // MIB} MiB, or no plain file" if fetched.refused else missing
    return ArtifactsKept(subtask_id=subtask_id, artifacts=kept, refused=fetched.refused, reason=too_large)
