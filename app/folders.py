"""Folders of this machine that a task may start from."""

import asyncio
from pathlib import Path

from domain.errors import InvalidRepository
from domain.task_service import Origin
from domain.text import one_line
from mcp_server.ide.session import ImportedFolder
from storage.repository_import import read_repository


class RepositoryFolders:
    """Implements ``mcp_server.ide.session.Folders``: git repositories below ``root``, or anywhere where it is None."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root

    async def read(self, folder: str) -> ImportedFolder:
        """The newest commit of the repository in a folder. InvalidRepository."""
        path = await asyncio.to_thread(self._vetted, folder)
        imported = await read_repository(path, self._root)
        notes: tuple[str, ...] = ()
        if imported.uncommitted:
            shown = ", ".join(one_line(name, 100) for name in imported.uncommitted[:5])
            notes = (f"{len(imported.uncommitted)} files have changes that are not committed ({shown}): left out",)
        origin = Origin(repository=str(path), commit=imported.commit)
        return ImportedFolder(files=imported.files, origin=origin, notes=notes)

    def _vetted(self, folder: str) -> Path:
        """The folder, without links on the way. What lies elsewhere is refused, whether or not it is there."""
        try:
            path = Path(folder)
            resolved = path.resolve()
            allowed = self._root is None or resolved.is_relative_to(self._root.resolve())
        except (OSError, RuntimeError, ValueError):
            raise InvalidRepository("That is no folder. Give the full path of a git repository.") from None
        if not path.is_absolute():
            raise InvalidRepository(f"{one_line(folder)} is no full path. Give one that begins with /.")
        if not allowed:
            raise InvalidRepository(f"Folders are read below {self._root} only. Give one of those, or files.")
        return resolved
