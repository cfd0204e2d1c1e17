"""Writing files into the workspace and finding what changed in it.

Runs in a forked child under the sandbox's uid, so that a planted link leads nowhere that the code of the
sandbox could not go by itself.
"""

import contextlib
import glob
import os
import stat
import time
from collections.abc import Iterator
from hashlib import blake2b

from . import tarstream

LONGEST_PATH = 2048
"""Bytes; a longer path may not leave anyway."""
RACY_NS = 20_000_000
"""A file that changed this shortly before the scan may change again with the same timestamp."""

UNSURE = -1
"""In place of such a file's timestamp."""

State = dict[str, list[int | str]]
"""Path -> [size, ctime_ns, inode, link target, digest]: a file as it was when it was last in step with the host.

The digest is of its content, and "" for what never was in step."""


def put(root: str, source: int, deleted: list[str], clear: bool) -> list[str]:
    """Writes the tar stream from the file descriptor ``source`` below ``root``, replacing what is in the way.

    Returns the paths that it wrote.
    """
    written: list[str] = []
    if clear:
        for name in os.listdir(root):
            _remove(os.path.join(root, name))
    for path in deleted:
        if _is_reached(root, os.path.dirname(path)):
            _remove(os.path.join(root, path))
            _prune(root, os.path.dirname(path))
    with open(source, "rb", buffering=1 << 16) as stream:
        reader = tarstream.Reader(stream.read)
        for entry in reader:
            _write(root, entry, reader)
            written.append(entry.path)
    return written


def _write(root: str, entry: tarstream.Entry, reader: tarstream.Reader) -> None:
    target = os.path.join(root, entry.path)
    _make_folders(root, os.path.dirname(entry.path))
    try:
        _create(target, entry, reader)
    except (FileExistsError, IsADirectoryError):
        _remove(target)
        _create(target, entry, reader)


def _create(target: str, entry: tarstream.Entry, reader: tarstream.Reader) -> None:
    if entry.type == tarstream.SYMLINK:
        os.symlink(entry.link, target)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    fd = os.open(target, flags, 0o755 if entry.executable else 0o644)
    try:
        while chunk := reader.content():
            view = memoryview(chunk)
            while view:
                view = view[os.write(fd, view) :]
    finally:
        os.close(fd)


def _make_folders(root: str, path: str) -> None:
    """Makes every folder on the way, in place of what else is there, and open to its owner."""
    folder = root
    for part in path.split("/") if path else ():
        folder = os.path.join(folder, part)
        if _is_folder(folder):
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                os.chmod(folder, 0o755)  # noqa: S103 - in the sandbox, by its own user
            continue
        with contextlib.suppress(FileNotFoundError):
            os.unlink(folder)
        os.mkdir(folder)


def _is_reached(root: str, path: str) -> bool:
    """Whether a path leads through folders only, and through no link."""
    folder = root
    for part in path.split("/") if path else ():
        folder = os.path.join(folder, part)
        if not _is_folder(folder):
            return False
    return True


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _remove(path: str) -> None:
    """Removes whatever is there. The system's own tools bear any depth, which recursion in Python does not."""
    if _is_folder(path):
        os.spawnvp(os.P_WAIT, "chmod", ["chmod", "-R", "-f", "u+rwx", "--", path])  # noqa: S606 - no shell is safer
        os.spawnvp(os.P_WAIT, "rm", ["rm", "-rf", "--", path])  # noqa: S606 - no shell is safer
    else:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)


def _prune(root: str, path: str) -> None:
    with contextlib.suppress(OSError):
        while path:
            os.rmdir(os.path.join(root, path))
            path = os.path.dirname(path)


def scan(root: str, ignore: frozenset[str]) -> tuple[State, list[str]]:
    """The state of every file and link below ``root``, and the paths of what is neither, or too deep to be reached."""
    state: State = {}
    refused: list[str] = []
    newest = time.time_ns() - RACY_NS
    folders = [""]
    while folders:
        folder = folders.pop()
        for entry in _entries(os.path.join(root, folder)):
            path = os.path.join(folder, entry.name)
            if entry.name in ignore:
                continue
            if len(os.fsencode(path)) > LONGEST_PATH:
                refused.append(path[:200])
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                with contextlib.suppress(OSError):
                    state[path] = _look(os.path.join(root, path), entry.stat(follow_symlinks=False), newest)
            else:
                refused.append(path)
    return state, refused


def _entries(folder: str) -> list["os.DirEntry[str]"]:
    """What is in a folder, also in one that was closed to its owner; nothing for one that is gone."""
    for attempt in range(2):
        try:
            with os.scandir(folder) as found:
                return sorted(found, key=lambda entry: entry.name)
        except PermissionError:
            if attempt == 0:
                with contextlib.suppress(OSError):
                    os.chmod(folder, 0o755)  # noqa: S103 - in the sandbox, by its own user
        except OSError:
            break
    return []


def look(root: str, paths: list[str]) -> State:
    """The state of those ``paths`` that are there, with their digests."""
    newest = time.time_ns() - RACY_NS
    state: State = {}
    for path in paths:
        with contextlib.suppress(OSError):
            full = os.path.join(root, path)
            state[path] = _look(full, os.lstat(full), newest)
            if not state[path][3]:
                state[path][4] = digest(full)
    return state


def differs(known: list[int | str] | None, seen: list[int | str]) -> bool:
    """Whether a file may have changed: it looks different, or it was looked at too soon after a change."""
    return known is None or known[:4] != seen[:4] or known[1] == UNSURE


def digest(path: str) -> str:
    """The digest of a file's content.

    A shared mapping changes a file on tmpfs without a trace in what it looks like.
    """
    found = blake2b(digest_size=16)
    with open(_open(path), "rb", buffering=0) as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def _look(path: str, info: os.stat_result, newest: int) -> list[int | str]:
    if stat.S_ISLNK(info.st_mode):
        return [0, 0, 0, os.readlink(path), ""]
    return [info.st_size, info.st_ctime_ns if info.st_ctime_ns < newest else UNSURE, info.st_ino, "", ""]


def fetch(root: str, target: int, paths: list[str], file_limit: int) -> tuple[dict[str, str], list[str]]:
    """Writes ``paths`` as a tar stream to the file descriptor ``target``.

    Returns the digests of what it wrote, and the paths that it had to leave out.
    """
    digests: dict[str, str] = {}
    left_out: list[str] = []
    with open(target, "wb", buffering=1 << 16, closefd=False) as stream:
        for path in paths:
            try:
                fd = _open(os.path.join(root, path))
            except OSError:
                left_out.append(path)
                continue
            with open(fd, "rb") as file:
                info = os.fstat(fd)
                if not stat.S_ISREG(info.st_mode) or info.st_size > file_limit:
                    left_out.append(path)
                    continue
                executable = bool(info.st_mode & 0o100)
                content = file.read(info.st_size).ljust(info.st_size, b"\0")
            stream.write(tarstream.header(tarstream.Entry(path, tarstream.REGULAR, len(content), executable, "")))
            stream.write(content)
            stream.write(tarstream.padding(len(content)))
            digests[path] = blake2b(content, digest_size=16).hexdigest()
        stream.write(tarstream.END_OF_ARCHIVE)
    return digests, left_out


def collect(root: str, target: int, paths: list[str], file_limit: int) -> list[str]:
    """Writes the named files and folders, with all that is in them and links as links, as a tar stream.

    A path may hold ``*`` and ``**``; every other character means itself. Returns what it had to leave out.
    """
    refused: list[str] = []
    found: dict[str, None] = {}
    for wanted in paths:
        pattern = os.path.normpath(wanted).replace("[", "[[]").replace("?", "[?]")
        for path in sorted(glob.glob(pattern, root_dir=root, recursive=True, include_hidden=True)):
            found.update(dict.fromkeys(_below(root, path)))
    links = {path: os.readlink(os.path.join(root, path)) for path in found if os.path.islink(os.path.join(root, path))}
    with open(target, "wb", buffering=1 << 16, closefd=False) as stream:
        for path, link in links.items():
            stream.write(tarstream.header(tarstream.Entry(path, tarstream.SYMLINK, 0, False, link)))
        stream.flush()
        refused += fetch(root, target, [path for path in found if path not in links], file_limit)[1]
    return refused


def _below(root: str, path: str) -> Iterator[str]:
    """The files and links at and below a path that leads through no link."""
    if not _is_reached(root, os.path.dirname(path)):
        return
    if not _is_folder(os.path.join(root, path)):
        yield path
        return
    for folder, folders, names in os.walk(os.path.join(root, path)):
        inside = os.path.relpath(folder, root)
        for name in (*names, *folders):
            full = os.path.join(folder, name)
            if not _is_folder(full):
                yield os.path.normpath(os.path.join(inside, name))


def describe(path: str) -> dict[str, int | str] | None:
    """What is at a path: its kind, its size in bytes, its mode bits, its modification time in nanoseconds."""
    try:
        info = os.lstat(path)
    except OSError:
        return None
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    kind = kinds.get(stat.S_IFMT(info.st_mode), "other")
    return {"kind": kind, "size": info.st_size, "mode": stat.S_IMODE(info.st_mode), "mtime_ns": info.st_mtime_ns}


def _open(path: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, flags)
    except PermissionError:
        os.chmod(path, os.lstat(path).st_mode & 0o777 | 0o400)
        return os.open(path, flags)
