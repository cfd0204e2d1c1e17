"""Artifacts on disk: content under its hash, so that the same file is kept once."""

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path

from domain.artifacts import Artifact
from domain.errors import StorageUnavailable, UnknownArtifact
from domain.files import TreeChange


class ArtifactFolder:
    """Implements ``domain.artifacts.ArtifactStore`` in ``folder``.

    No name that a sandbox chose is ever a name in this folder, and nothing in it can be executed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, files: TreeChange) -> tuple[Artifact, ...]:
        """Keeps regular files; links are passed over. StorageUnavailable."""
        return await asyncio.to_thread(self._put, files)

    def _put(self, files: TreeChange) -> tuple[Artifact, ...]:
        kept = []
        for path, file in sorted(files.written.items()):
            if file.link is None:
                digest = hashlib.sha256(file.content).hexdigest()
                self._write(self._place(digest), file.content)
                kept.append(Artifact(path=path, sha256=digest, size=len(file.content)))
        return tuple(kept)

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def _write(self, place: Path, content: bytes) -> None:
        try:
            if place.exists():
                return
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".new-", delete=False) as file:
                try:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                    os.replace(file.name, place)
                except BaseException:
                    os.unlink(file.name)
                    raise
        except OSError as error:
            raise StorageUnavailable(
                f"{self._folder} cannot be written ({error.strerror}). Free disk space, or set SOUNDSTAGE_HOME."
            ) from error

    async def get(self, artifact: Artifact) -> bytes:
        """The content; UnknownArtifact when it is not there, StorageUnavailable when it was damaged."""
        return await asyncio.to_thread(self._get, artifact)

    def _get(self, artifact: Artifact) -> bytes:
        place = self._place(artifact.sha256)
        try:
            content = place.read_bytes()
        except FileNotFoundError:
            raise UnknownArtifact from None
        except OSError as error:
            raise StorageUnavailable(f"{place} cannot be read ({error.strerror}). Check who may read it.") from error
        if hashlib.sha256(content).hexdigest() != artifact.sha256:
            raise StorageUnavailable(f"{place} is damaged: its content is not that of its name. Restore it.")
        return content
