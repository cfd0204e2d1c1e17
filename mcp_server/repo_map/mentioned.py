"""What the work is about: files and identifiers that somebody named."""

import re
from collections.abc import Collection
from dataclasses import dataclass

QUOTED = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"[^\W\d]\w{2,}")
CODE_WORD = re.compile(r"\b(?:[^\W\d]\w*_\w*|_\w+|[^\W\d]\w*[a-z0-9][A-Z]\w*|[A-Z]\w*[a-z]\w*|[^\W\d]\w*(?=\())")
PATH = re.compile(r"[\w./+-]+")


@dataclass(frozen=True)
class Mentioned:
    """Paths of files and names of symbols that were mentioned, and paths of files that were changed."""

    files: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()


NOTHING = Mentioned()


def mentioned_in(text: str, paths: Collection[str]) -> Mentioned:
    """The files of ``paths`` that a text names by path, by its end or by their name, and the words that look like code.

    A word looks like code between backticks, with an underscore, with a capital, or before a parenthesis.
    """
    words = {part for word in PATH.findall(text) for part in (word.rstrip("."), word.strip("./"))}
    files = {path for path in paths if path in words or path.rsplit("/", 1)[-1] in words}
    ends = tuple(f"/{word}" for word in words if "/" in word)
    files |= {path for path in paths if path.endswith(ends)} if ends else set()
    quoted = {word for part in QUOTED.findall(text) for word in WORD.findall(part)}
    return Mentioned(files=frozenset(files), identifiers=frozenset(quoted | set(CODE_WORD.findall(text))))
