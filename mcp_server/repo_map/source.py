"""Files to be mapped, each with git's id of its content."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from domain.files import File


class Source(NamedTuple):
    """A regular file: its path, git's id of its content (``blob``), its content."""

    path: str
    blob: str
    content: bytes


def blob_id(content: bytes) -> str:
    """Git's id of a content."""
    digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


class Blobs:
    """Gives files their ids. Those of the last tree are kept: of most files it is the same object the next time."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[bytes, str]] = {}

    def sources(self, files: Iterable[tuple[str, File]]) -> list[Source]:
        """The regular files among some, with their paths."""
        known, self._known = self._known, {}
        found = []
        for path, file in files:
            if file.link is None:
                content = file.content
                entry = known.get(id(content)) or (content, blob_id(content))
                self._known[id(content)] = entry
                found.append(Source(path, entry[1], content))
        return found
