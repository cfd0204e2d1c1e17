"""The documents of a project, and their sections."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath

from domain.base import Value
from domain.files import File, FileTree
from domain.text import one_line, plain
from mcp_server.lines import lines_of
from sandbox.base import IGNORED

SUFFIXES = frozenset({".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc"})
NAMES = frozenset({"readme", "contributing", "changelog", "changes", "history", "install", "architecture", "hacking"})
FOLDERS = frozenset({"doc", "docs", "documentation"})
NO_DOCUMENTS = re.compile(r"requirements.*\.txt|constraints.*\.txt|cmakelists\.txt|robots\.txt")

READ_BYTES = 256 * 1024
"""So much is read of a document: a longer one is most often data."""

LOOKED_AT = 8 * 1024
SECTION_LINES = 60
HEADING = re.compile(r"(?:#{1,6}|={1,6})\s+(\S.*)")
UNDERLINE = re.compile(r"([=\-~^\"'*+#])\1{2,}\s*")
FENCE = re.compile(r"\s*(?:```|~~~)")


class Section(Value):
    """Some lines of a document below a heading. ``line`` is the first one, from 1."""

    path: str
    heading: str
    line: int
    text: str


def documents(files: FileTree) -> list[str]:
    """The paths of the documents, a README and what is nearest to the top first. Links are left out."""
    found = [path for path, file in files.items() if file.link is None and _is_document(PurePosixPath(path))]
    return sorted(found, key=lambda path: (path.count("/"), not _is_readme(path), path))


def readme(files: FileTree) -> str | None:
    """The README at the top, if any."""
    return next((path for path in documents(files) if _is_readme(path) and "/" not in path), None)


def read_text(file: File, most_bytes: int = READ_BYTES) -> str | None:
    """A text file's beginning, without escapes; None for what is no text. What is no UTF-8 in it is replaced."""
    content = file.content[:most_bytes]
    if file.link is not None or b"\0" in content[:LOOKED_AT]:
        return None
    return plain(content.decode("utf-8-sig", "replace"))


def sections(path: str, text: str) -> Iterator[Section]:
    """A document's sections in order, long ones in pieces."""
    heading, first, body = "", 1, list[str]()
    for line, title, content in _lines(text):
        if title is not None or len(body) >= SECTION_LINES:
            if any(part.strip() for part in body):
                yield Section(path=path, heading=heading, line=first, text="\n".join(body))
            heading, first, body = heading if title is None else one_line(title), line, []
        body.append(content)
    if any(part.strip() for part in body):
        yield Section(path=path, heading=heading, line=first, text="\n".join(body))


def title_of(text: str) -> str:
    """A document's first heading, if any."""
    return next((one_line(title) for _, title, _ in islice(_lines(text), 200) if title is not None), "")


def _lines(text: str) -> Iterator[tuple[int, str | None, str]]:
    """Each line with its number, and the heading that it is, if it is one. What is fenced in is code."""
    lines = lines_of(text)
    fenced = False
    for at, line in enumerate(lines):
        title = None
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            following = lines[at + 1] if at + 1 < len(lines) else ""
            if found := HEADING.fullmatch(line):
                title = found[1].rstrip("#= ")
            elif line.strip() and UNDERLINE.fullmatch(following) and not UNDERLINE.fullmatch(line):
                title = line if len(following.rstrip()) >= len(line.strip()) / 2 else None
        yield at + 1, title, line


def _is_document(path: PurePosixPath) -> bool:
    if not IGNORED.isdisjoint(path.parts) or path.parts[0] in {"vendor", "third_party"}:
        return False
    suffix, stem = path.suffix.lower(), path.stem.lower()
    if suffix in SUFFIXES:
        return True
    if suffix not in {"", ".txt"} or NO_DOCUMENTS.fullmatch(path.name.lower()):
        return False
    return stem in NAMES or (suffix == ".txt" and not FOLDERS.isdisjoint(part.lower() for part in path.parts[:-1]))


def _is_readme(path: str) -> bool:
    return PurePosixPath(path).stem.lower() == "readme"
