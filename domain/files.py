"""Files of a workspace, and the rules for paths that may leave or enter one."""

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
    if any(ord(character) < 32 or ord(character) == 127 for character in path) or "\\" in path:
        raise HostileOutput(f"A path holds a control character or a backslash: {path!r}. Rename the file.")
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            raise HostileOutput(f"A path leaves the workspace or is not plain: {path!r}. Use a relative path.")
        if _is_refused(part):
            raise HostileOutput(f"A path reaches into version control: {path!r}. Leave that folder alone.")
        if len(part.encode()) > MAX_NAME_BYTES:
            raise HostileOutput(f"A file name is longer than {MAX_NAME_BYTES} bytes: {part[:60]!r}. Shorten it.")
    return path


def _is_refused(part: str) -> bool:
    # Some file systems ignore case, trailing dots and spaces, and these code points: git refuses them as well.
    plain = "".join(character for character in part.lower() if character not in "\u200c\u200d\ufeff")
    return plain.rstrip(". ") in REFUSED_NAMES or plain.startswith("git~")


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
    """The target unchanged when a link at ``path`` stays in the tree, else HostileOutput."""
    depth = path.count("/")
    outside = not target or target.startswith("/") or "\\" in target or any(ord(c) < 32 for c in target)
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        outside = outside or depth < 0 or _is_refused(part)
    if outside:
        raise HostileOutput(f"The link {path!r} leads out of the tree, to {target!r}. Remove it or make it relative.")
    return target
