"""Files of a workspace, and the rules for paths that may leave or enter one."""

import unicodedata
from itertools import dropwhile

from pydantic import Field, field_validator

from domain.base import Value
from domain.errors import HostileOutput

MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
REFUSED_NAMES = frozenset({".git", ".hg", ".svn"})


def vet_path(path: str) -> str:
    """The path unchanged when it is a plain relative path, else HostileOutput.

    Refused: absolute paths, ``..``, empty or ``.`` components, ``.git`` in any case, control characters, text that
    is no UTF-8, names over 255 bytes and paths over 1,024 bytes.
    """
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise HostileOutput(f"A file name is not UTF-8: {path!r}. Rename the file.") from None
    if not path or len(encoded) > MAX_PATH_BYTES:
        raise HostileOutput(f"A path is empty or longer than {MAX_PATH_BYTES} bytes: {path[:60]!r}. Shorten it.")
    if _is_unprintable(path):
        raise HostileOutput(f"A path holds a control character or a backslash: {path!r}. Rename the file.")
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            raise HostileOutput(f"A path leaves the workspace or is not plain: {path!r}. Use a relative path.")
        if _is_refused(part):
            raise HostileOutput(f"A path reaches into version control: {path!r}. Leave that folder alone.")
        if len(part.encode()) > MAX_NAME_BYTES:
            raise HostileOutput(f"A file name is longer than {MAX_NAME_BYTES} bytes: {part[:60]!r}. Shorten it.")
    return path


def _is_unprintable(path: str) -> bool:
    return "\\" in path or any(unicodedata.category(character) in {"Cc", "Cs"} for character in path)


def _is_refused(part: str) -> bool:
    # What other file systems take for .git, git refuses as well (core.protectHFS, core.protectNTFS): other case,
    # code points without width, trailing dots and spaces, short names, and streams after a colon.
    plain = "".join(character for character in part.lower() if unicodedata.category(character) != "Cf")
    plain = plain.split(":", 1)[0].rstrip(". ")
    return plain in REFUSED_NAMES or plain.startswith("git~")


def is_test_file(path: str) -> bool:
    """Whether pytest looks for tests in a file of that name."""
    name = path.rsplit("/", 1)[-1]
    return name.endswith("_test.py") or (name.startswith("test_") and name.endswith(".py"))


class File(Value):
    """A regular file's content, or with ``link`` the target of a symbolic link that stays in the tree."""

    content: bytes = b""
    executable: bool = False
    link: str | None = None


class TreeChange(Value):
    """What to write and what to remove. Paths are relative, with ``/``, and vetted."""

    written: dict[str, File] = Field(default_factory=dict)
    deleted: frozenset[str] = frozenset()

    @field_validator("written")
    @classmethod
    def _plain_written(cls, written: dict[str, File]) -> dict[str, File]:
        for path in written:
            vet_path(path)
        return written

    @field_validator("deleted")
    @classmethod
    def _plain_deleted(cls, deleted: frozenset[str]) -> frozenset[str]:
        for path in deleted:
            vet_path(path)
        return deleted

    def __bool__(self) -> bool:
        return bool(self.written or self.deleted)

    def paths(self) -> frozenset[str]:
        """Every path that the change touches."""
        return frozenset(self.written) | self.deleted

    def without(self, paths: frozenset[str]) -> "TreeChange":
        """The change less what it does to ``paths``."""
        return TreeChange(
            written={path: file for path, file in self.written.items() if path not in paths},
            deleted=self.deleted - paths,
        )


FileTree = dict[str, File]
"""A whole tree: path -> file."""


def vet_link(path: str, target: str) -> str:
    """The target unchanged when a link at ``path`` stays in the tree, else HostileOutput.

    ``..`` may stand at the beginning only: behind the name of another link it could lead anywhere.
    """
    parts = target.split("/")
    climbs = len(parts) - len(list(dropwhile(lambda part: part in {"..", "."}, parts)))
    names = parts[climbs:]
    outside = not target or target.startswith("/") or _is_unprintable(target)
    outside = outside or parts[:climbs].count("..") > path.count("/")
    if outside or ".." in names or any(_is_refused(part) for part in names):
        raise HostileOutput(f"The link {path!r} leads out of the tree, to {target!r}. Remove it or make it relative.")
    return target
