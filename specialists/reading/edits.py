"""Edits as models write them in text: unified diffs, and pieces to search and replace."""

import re
from collections.abc import Sequence

from domain.replies import ReplyProblem
from specialists.reading.action import Action, Doubtful, action
from specialists.reading.paths import clean, extension_of

HUNK = re.compile(r"^@@(?: |$)", re.MULTILINE)
HEADER = re.compile(r"(?:---|\+\+\+) (?:[ab]/)?([^\t\n]+)")
SEARCH = re.compile(r"<{5,9} ?SEARCH\b")
MIDDLE = re.compile(r"={5,9}$")
REPLACE = re.compile(r">{5,9} ?REPLACE\b")
PATCHES = frozenset({"diff", "patch"})


def is_diff(language: str, path: str | None, body: str) -> bool:
    """Whether a block is a diff to apply, and not a file that holds one."""
    if path is not None and extension_of(path) in PATCHES:
        return False
    begins = body.lstrip("\n").startswith(("--- ", "diff ", "@@ "))
    return (begins or language in PATCHES) and HUNK.search(body) is not None


def is_replacement(body: str) -> bool:
    """Whether a block holds pieces to search and replace."""
    kinds = {kind for line in body.split("\n") if (kind := _mark(line))}
    return kinds == {"search", "middle", "replace"}


def from_diff(path: str | None, body: str) -> list[Action]:
    """The edits that a diff wants, of the files that it names, or else of ``path``.

    Doubtful for one without a path, for a hunk that says nothing of its place, and for a file that is removed.
    """
    made: list[Action] = []
    named: list[str] = []
    hunk: list[str] | None = None
    new = False
    for line in [*body.split("\n"), "@@"]:
        header = HEADER.match(line) if not (hunk and _goes_on(line)) else None
        if header or HUNK.match(line) or line.startswith("diff "):
            if hunk:
                made.append(_hunk(named[-1] if named else path, hunk, new))
            hunk = [] if HUNK.match(line) else None
            if header and line.startswith("---"):
                new, named = header[1].strip() == "/dev/null", []
            if header and header[1].strip() == "/dev/null" and line.startswith("+++"):
                raise Doubtful(ReplyProblem.DOUBTFUL_BLOCK)
            if header and header[1].strip() != "/dev/null":
                named.append(clean(header[1].strip()))
        elif hunk is not None and not line.startswith("\\"):
            hunk.append(line)
    return made


def _goes_on(line: str) -> bool:
    """Whether a line within a hunk is more likely a changed line than a file's header."""
    return HEADER.match(line) is not None and "." not in line and "/" not in line


def _hunk(path: str | None, lines: Sequence[str], new: bool) -> Action:
    while lines and not lines[-1]:
        lines = lines[:-1]
    old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in {" ", "-", ""})
    put = "".join(f"{line[1:]}\n" for line in lines if line[:1] in {" ", "+", ""})
    if path is None:
        raise Doubtful(ReplyProblem.NO_PATH)
    if any(line[:1] not in {" ", "+", "-", ""} for line in lines) or (not old.strip() and not new):
        raise Doubtful(ReplyProblem.DOUBTFUL_BLOCK)
    if new:
        return action("write_file", {"path": path, "content": put}, "a diff")
    return action("edit_file", {"path": path, "old": old, "new": put}, "a diff")


def from_replacement(path: str | None, body: str) -> list[Action]:
    """The edits that pieces to search and replace want. Doubtful without a path, and for a piece that says no place."""
    if path is None:
        raise Doubtful(ReplyProblem.NO_PATH)
    made: list[Action] = []
    parts: dict[str, list[str]] = {}
    kind = ""
    for line in body.split("\n"):
        mark = _mark(line)
        if mark == "search" or (mark == "middle" and kind == "search"):
            kind, parts[mark] = mark, []
        elif mark == "replace" and kind == "middle":
            made.append(_replacement(path, parts["search"], parts["middle"]))
            kind = ""
        elif kind:
            parts[kind].append(line)
    if kind or not made:
        raise Doubtful(ReplyProblem.DOUBTFUL_BLOCK)
    return made


def _replacement(path: str, old: Sequence[str], new: Sequence[str]) -> Action:
    if not any(line.strip() for line in old):
        raise Doubtful(ReplyProblem.DOUBTFUL_BLOCK)
    texts = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    return action("edit_file", dict(zip(("path", "old", "new"), (path, *texts), strict=True)), "a piece to replace")


def _mark(line: str) -> str:
    line = line.rstrip()
    for kind, pattern in (("search", SEARCH), ("middle", MIDDLE), ("replace", REPLACE)):
        if pattern.match(line):
            return kind
    return ""
