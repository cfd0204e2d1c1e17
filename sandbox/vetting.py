"""What may leave a sandbox: our own extractor, which trusts nothing in the stream.

It keeps regular files with plain relative paths, in memory, and touches no file system. Source: the lessons of
CVE-2007-4559, CVE-2025-4517 and their relatives.
"""

import io

from domain.base import Value
from domain.errors import HostileOutput
from domain.files import File, FileTree, vet_link, vet_path
from sandbox.runner import tarstream


class VettingLimits(Value):
    """The most that may leave at once: files, bytes in one of them, bytes in all."""

    entries: int = 20_000
    file_bytes: int = 32 * 1024 * 1024
    total_bytes: int = 256 * 1024 * 1024


def extract(archive: bytes, limits: VettingLimits, links: bool = False) -> tuple[FileTree, list[str]]:
    """The files in a tar stream, and the paths that were refused.

    With ``links``, symbolic links that stay inside the tree are kept as well. Other links, devices, FIFOs and paths
    that are not plain are refused one by one. HostileOutput when the stream is malformed, holds a path twice, or
    exceeds ``limits``.
    """
    kept: FileTree = {}
    refused: list[str] = []
    total = 0
    reader = tarstream.Reader(io.BytesIO(archive).read)
    try:
        for count, entry in enumerate(reader, start=1):
            if count > limits.entries:
                raise HostileOutput(f"The sandbox produced more than {limits.entries} files. Produce fewer.")
            if entry.type == tarstream.DIRECTORY:
                continue
            link = links and _is_link_inside(entry)
            if not link and not _acceptable(entry, limits):
                refused.append(printable(entry.path))
                continue
            if entry.path in kept:
                raise HostileOutput(f"The sandbox sent {entry.path!r} twice. Nothing of that step was kept.")
            if link:
                kept[entry.path] = File(link=entry.link)
                continue
            total += entry.size
            if total > limits.total_bytes:
                raise HostileOutput(f"The sandbox produced more than {limits.total_bytes} bytes. Produce less.")
            kept[entry.path] = File(content=reader.content(entry.size), executable=entry.executable)
    except tarstream.TarError as error:
        raise HostileOutput(f"The sandbox sent a malformed archive: {error}. Nothing of it was kept.") from error
    return _without_nesting(kept, refused), refused


def _acceptable(entry: tarstream.Entry, limits: VettingLimits) -> bool:
    return entry.type == tarstream.REGULAR and entry.size <= limits.file_bytes and is_plain(entry.path)


def _is_link_inside(entry: tarstream.Entry) -> bool:
    if entry.type != tarstream.SYMLINK or not is_plain(entry.path):
        return False
    try:
        vet_link(entry.path, entry.link)
    except HostileOutput:
        return False
    return True


def _without_nesting(kept: FileTree, refused: list[str]) -> FileTree:
    """Drops files that stand where another path needs a folder."""
    for path in list(kept):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in kept:
                refused.append(path)
                kept.pop(path)
                break
    return kept


def is_plain(path: str) -> bool:
    """Whether a path may leave."""
    try:
        vet_path(path)
    except HostileOutput:
        return False
    return True


def printable(path: str) -> str:
    """A path that is safe to show: escapes for whatever is not printable, 200 characters at most."""
    return path.encode("unicode_escape", "backslashreplace").decode("ascii")[:200]


def pack(files: FileTree) -> bytes:
    """A tar stream of ``files``. HostileOutput when a link leads out of the tree."""
    parts: list[bytes] = []
    for path, file in files.items():
        vet_path(path)
        if file.link is not None:
            vet_link(path, file.link)
            parts.append(tarstream.header(tarstream.Entry(path, tarstream.SYMLINK, 0, False, file.link)))
            continue
        size = len(file.content)
        entry = tarstream.Entry(path, tarstream.REGULAR, size, file.executable, "")
        parts += (tarstream.header(entry), file.content, tarstream.padding(size))
    parts.append(tarstream.END_OF_ARCHIVE)
    return b"".join(parts)
