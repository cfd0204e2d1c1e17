"""Writing a result into a person's folder: all or nothing, never over a change of theirs, never through a link."""

import asyncio
import contextlib
import os
import secrets
import stat
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from domain.errors import OutputRefused
from domain.files import File, FileTree, vet_link, vet_path

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


async def export(files: FileTree, folder: Path, before: FileTree | None = None) -> list[str]:
    """Writes ``files`` below ``folder`` and returns the paths that it wrote.

    A file that is there already is replaced only when its content is that of ``before``, and left alone when it is
    the new content already. OutputRefused names whatever stands in the way; then nothing at all was written.
    """
    return await asyncio.to_thread(_export, files, folder, before or {})


def check_empty(folder: Path) -> None:
    """OutputRefused unless ``folder`` is an empty folder that can be written, or can be made. Makes nothing."""
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise OutputRefused(f"{folder} is not a folder. Name another one with --out.")
        if folder.is_dir() and any(folder.iterdir()):
            raise OutputRefused(f"{folder} is not empty. Name an empty or a new folder with --out.")
        nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        # Permission bits do not tell for root, nor for a file system that takes no folders: trying does.
        with tempfile.TemporaryDirectory(prefix=".soundstage-", dir=nearest):
            pass
    except OSError as error:
        raise OutputRefused(f"{folder} cannot be used ({error.strerror}). Name another folder with --out.") from error


def _export(files: FileTree, folder: Path, before: FileTree) -> list[str]:
    obstacles: list[str] = []
    wanted: list[str] = []
    for path, file in files.items():
        vet_path(path)
        if file.link is not None:
            vet_link(path, file.link)
    if planted := _repositories(before | files) - _repositories(before):
        raise OutputRefused(
            f"Nothing was written to {folder}: the result holds a git repository ({', '.join(sorted(planted)[:10])}), "
            "whose configuration could run programs on your machine. Take it out of the task's result."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root = os.open(folder, FOLDER_FLAGS & ~os.O_NOFOLLOW)
    except OSError as error:
        raise OutputRefused(
            f"{folder} cannot be written ({error.strerror}). Name another folder with --out."
        ) from error
    try:
        for path, file in sorted(files.items()):
            state = _state(root, path, file, before.get(path))
            if state == "obstacle":
                obstacles.append(path)
            elif state == "write":
                wanted.append(path)
        if obstacles:
            raise OutputRefused(
                f"Nothing was written to {folder}: these were changed meanwhile or are links: "
                f"{', '.join(obstacles[:10])}. Move them away, or name another folder with --out."
            )
        _write_all(root, {path: files[path] for path in wanted})
    except OSError as error:
        raise OutputRefused(
            f"{folder} cannot be written ({error.strerror}). Name another folder with --out."
        ) from error
    finally:
        os.close(root)
    return wanted


def _repositories(files: FileTree) -> set[str]:
    """Folders that git takes for a repository as they stand, without being called ``.git``."""
    beside: dict[str, set[str]] = defaultdict(set)
    for path in files:
        parts = path.split("/")
        for depth, part in enumerate(parts):
            beside["/".join(parts[:depth])].add(part.lower())
    return {
        folder or "."
        for folder, names in beside.items()
        if "head" in names and ("commondir" in names or {"objects", "refs"} <= names)
    }


@contextlib.contextmanager
def _parent(root: int, path: str, made: list[str] | None = None) -> Iterator[int]:
    """A descriptor of the folder that holds ``path``, reached without following a link.

    With ``made``, folders that are missing are made, and their paths noted there.
    """
    fd = os.dup(root)
    try:
        parts = vet_path(path).split("/")[:-1]
        for depth, part in enumerate(parts, start=1):
            if made is not None:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=fd)
                    made.append("/".join(parts[:depth]))
            following = os.open(part, FOLDER_FLAGS, dir_fd=fd)
            os.close(fd)
            fd = following
        yield fd
    finally:
        os.close(fd)


def _state(root: int, path: str, file: File, before: File | None) -> str:
    name = path.rsplit("/", 1)[-1]
    try:
        with _parent(root, path) as fd:
            found = _found(fd, name)
    except FileNotFoundError:
        return "write"
    except OSError:
        return "obstacle"
    if found == file:
        return "same"
    return "write" if before is not None and found == before else "obstacle"


def _found(fd: int, name: str) -> File | None:
    info = os.lstat(name, dir_fd=fd)
    if stat.S_ISLNK(info.st_mode):
        return File(link=os.readlink(name, dir_fd=fd))
    if not stat.S_ISREG(info.st_mode):
        return None
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd), "rb") as file:
        return File(content=file.read(), executable=bool(info.st_mode & 0o100))


def _write_all(root: int, files: FileTree) -> None:
    """Writes everything under temporary names first, so that a full disk leaves nothing half-written."""
    staged: list[tuple[str, str]] = []
    made: list[str] = []
    try:
        for path, file in files.items():
            temporary = f".soundstage-{secrets.token_hex(6)}"
            with _parent(root, path, made) as fd:
                staged.append((path, temporary))
                _write(fd, temporary, file)
        for path, temporary in staged:
            with _parent(root, path) as fd:
                os.rename(temporary, path.rsplit("/", 1)[-1], src_dir_fd=fd, dst_dir_fd=fd)
    except BaseException:
        for path, temporary in staged:
            with contextlib.suppress(OSError), _parent(root, path) as fd:
                os.unlink(temporary, dir_fd=fd)
        for folder in reversed(made):
            with contextlib.suppress(OSError), _parent(root, folder) as fd:
                os.rmdir(folder.rsplit("/", 1)[-1], dir_fd=fd)
        raise


def _write(fd: int, name: str, file: File) -> None:
    if file.link is not None:
        os.symlink(file.link, name, dir_fd=fd)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o755 if file.executable else 0o644, dir_fd=fd), "wb") as target:
        target.write(file.content)
