"""Reading a person's folder as it is, for a sandbox: regular files and links that stay inside."""

import asyncio
import os
import stat
from pathlib import Path

from domain.errors import HostileOutput, UsageError
from domain.files import File, FileTree, vet_link, vet_path
from storage.repository_import import MAX_BYTES, MAX_FILES

SKIPPED = frozenset({".git", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


async def read_folder(folder: Path) -> FileTree:
    """The files below a folder, but for version control and caches. UsageError says what cannot be taken."""
    return await asyncio.to_thread(_read, folder)


def _read(folder: Path) -> FileTree:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Name a folder with --files.")
    found: FileTree = {}
    total = 0
    try:
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if name not in SKIPPED)
            links = [name for name in folders if os.path.islink(os.path.join(place, name))]
            for name in sorted([*names, *links]):
                full = Path(place) / name
                path = full.relative_to(folder).as_posix()
                found[vet_path(path)] = _file(full, path)
                total += len(found[path].content)
                if total > MAX_BYTES or len(found) > MAX_FILES:
                    raise UsageError(
                        f"{folder} holds more than {MAX_FILES} files or {MAX_BYTES // 2**20} MiB. Name a smaller one."
                    )
    except HostileOutput as error:
        raise UsageError(f"{folder} cannot be taken into a sandbox. {error}") from error
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read ({error.strerror}). Check who may read it.") from error
    return found


def _file(full: Path, path: str) -> File:
    info = full.lstat()
    if stat.S_ISLNK(info.st_mode):
        return File(link=vet_link(path, os.readlink(full)))
    if not stat.S_ISREG(info.st_mode):
        raise UsageError(f"{full} is no regular file. Move it away, or name another folder.")
    if info.st_size > MAX_BYTES:
        raise UsageError(f"{full} is larger than {MAX_BYTES // 2**20} MiB. Move it away, or name another folder.")
    return File(content=full.read_bytes(), executable=bool(info.st_mode & 0o100))
