"""Little workspaces, wheels and archives for the tests of the dependencies phase."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from domain.files import File, FileTree
from sandbox.runner import tarstream


def named(files: dict[str, str | bytes]) -> FileTree:
    """A tree by path."""
    return {
        path: File(content=content.encode() if isinstance(content, str) else content) for path, content in files.items()
    }


def requirements(*lines: str) -> FileTree:
    """A tree with a requirements.txt."""
    return named({"requirements.txt": "\n".join(lines) + "\n"})


def wheel(folder: Path, name: str, files: dict[str, str], needs: Iterable[str] = ()) -> Path:
    """A pure wheel of version 1.0 with ``files``. Source: PEP 427."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(
        f"Requires-Dist: {one}\n" for one in needs
    )
    inside = files | {
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{one},,\n" for one in [*inside, f"{info}/RECORD"])
    path.write_bytes(zipped(inside | {f"{info}/RECORD": record}))
    return path


def zipped(files: dict[str, str]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def entry(path: str, content: bytes = b"", kind: bytes = tarstream.REGULAR, link: str = "", run: bool = False) -> bytes:
    """One member of a tar stream."""
    header = tarstream.header(tarstream.Entry(path, kind, len(content), run, link))
    return header + content + tarstream.padding(len(content))


def archive(*entries: bytes) -> io.BytesIO:
    """A tar stream."""
    return io.BytesIO(b"".join(entries) + tarstream.END_OF_ARCHIVE)
