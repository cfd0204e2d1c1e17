"""Fenced blocks, read line by line in one pass."""

import re
from dataclasses import dataclass

from specialists.reading.paths import LINE_CHARACTERS, extension_of, in_info, language_of, path_of

OPENING = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?(`{3,9}|~{3,9}|'{3})[ \t]*([^`\n]*)$")
GLUED = re.compile(r"(?:[^`~\n]|`[^`\n]+`)*[^`~\s](`{3,9})[ \t]*([\w+#-]+(?:[ \t:][^`\n]*)?)$")
"""A block that begins at the end of a line of prose; it must name a language or a path."""
GLUED_END = re.compile(r"[^`\n]*[^`\s]`{3,9}[ \t]*$")
NESTING = frozenset({"md", "markdown"})
LONGEST_FENCE_LINE = 2 * LINE_CHARACTERS


@dataclass(frozen=True)
class Block:
    """A fenced block from ``start`` to ``end`` in the text.

    ``whole`` says that its end is sure: it is closed, and no other block begins inside it.
    """

    info: str
    path: str | None
    body: str
    start: int
    end: int
    whole: bool


@dataclass
class _Open:
    """A block that is being read; ``first`` is the line after the one that opens it."""

    fence: str
    info: str
    indent: int
    line: int
    first: int
    nests: bool
    before: str
    depth: int = 0
    glued: int | None = None
    inner: bool = False


def blocks(text: str) -> list[Block]:
    """The blocks in a text, in order. It takes time linear in the length of the text."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._length = len(text)
        self._found: list[Block] = []

    def run(self) -> list[Block]:
        at, opened = 0, None
        while True:
            if at < len(self._lines):
                if opened is None:
                    at, opened = at + 1, self._opening(at)
                else:
                    at, opened = self._inside(at, opened)
            elif opened is not None and opened.glued is not None:
                at, opened = self._close_glued(opened), None
            else:
                break
        if opened is not None:
            last = len(self._lines) - (not self._lines[-1])
            self._close(opened, last, len(self._lines), whole=False)
        return self._found

    def _opening(self, at: int) -> _Open | None:
        line = self._lines[at]
        if len(line) > LONGEST_FENCE_LINE:
            return None
        glued = None
        found = OPENING.match(line) or (glued := GLUED.match(line))
        if found is None or (found[1] == "'''" and not found[2].strip()):
            return None
        info = found[2].strip()
        path = in_info(info[:LINE_CHARACTERS]) or ""
        nests = language_of(info) in NESTING or extension_of(path) in NESTING
        before = line[: found.start(1)] if glued else self._line_before(at)
        indent = 0 if glued else len(line) - len(line.lstrip())
        return _Open(found[1], info, indent, at, at + 1, nests, before)

    def _inside(self, at: int, opened: _Open) -> tuple[int, _Open | None]:
        """Reads a line of a block; where to go on, and in which block."""
        line = self._lines[at]
        if len(line) > LONGEST_FENCE_LINE and not line.endswith("```"):
            return at + 1, opened
        found = OPENING.match(line)
        if found is None or found[1][0] != opened.fence[0] or len(found[1]) < len(opened.fence):
            if opened.glued is None and opened.fence[0] == "`" and GLUED_END.match(line[-LINE_CHARACTERS:]):
                opened.glued = at
            return at + 1, opened
        info = found[2].strip()
        if not info and opened.depth == 0:
            self._close(opened, at, at + 1, whole=not opened.inner)
            return at + 1, None
        if not info:
            opened.depth -= 1
        elif opened.nests and not in_info(info[:LINE_CHARACTERS]):
            opened.depth += 1
        elif opened.glued is not None:
            return self._close_glued(opened), None
        elif in_info(info[:LINE_CHARACTERS]):
            self._close(opened, at, at, whole=False)
            return at, None
        else:
            opened.inner = True
        return at + 1, opened

    def _close_glued(self, opened: _Open) -> int:
        """Ends a block whose closing fence stands at the end of its last line."""
        at = opened.glued
        assert at is not None
        self._lines[at] = self._lines[at].rstrip().rstrip("`")
        self._close(opened, at + 1, at + 1, whole=True)
        return at + 1

    def _close(self, opened: _Open, last: int, after: int, whole: bool) -> None:
        lines = _dedented(self._lines[opened.first : last], opened.indent)
        body = "".join(f"{line}\n" for line in lines)
        start, end = self._starts[opened.line], min(self._starts[after], self._length)
        path = path_of(opened.info, body, opened.before)
        self._found.append(Block(opened.info, path, body, start, end, whole))

    def _line_before(self, at: int) -> str:
        before = self._found[-1].end if self._found else 0
        for line in range(at - 1, max(-1, at - 4), -1):
            if self._starts[line] < before:
                break
            if self._lines[line].strip():
                return self._lines[line]
        return ""


def _dedented(lines: list[str], indent: int) -> list[str]:
    """The lines without the indentation of their fence, where all of them have it."""
    if indent and all(not line.strip() or not line[:indent].strip() for line in lines):
        return [line[indent:] for line in lines]
    return lines
