"""Files that a task hands over besides its tree: a report, a wheel, a picture."""

from typing import Protocol

from pydantic import Field

from domain.base import Value
from domain.files import TreeChange


class Artifact(Value):
    """A kept file: its path in the workspace, the SHA-256 of its content in hex, its size in bytes."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class ArtifactStore(Protocol):
    """Keeps content under its hash."""

    async def put(self, files: TreeChange) -> tuple[Artifact, ...]:
        """Keeps the files, durably. StorageUnavailable."""
        ...

    async def get(self, artifact: Artifact) -> bytes:
        """The content of a kept file. UnknownArtifact, StorageUnavailable."""
        ...
