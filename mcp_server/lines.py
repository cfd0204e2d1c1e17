"""Texts as numbered lines, and pages of them."""

from collections.abc import Sequence

from domain.base import Value
from mcp_server.tool import ToolRefused

PAGE_LINES = 400
PAGE_CHARACTERS = 14_000
"""Less than what is shown of an answer at once, so that no page is cut in the middle."""
LINE_CHARACTERS = 2_000


class Page(Value):
    """Some lines of a text, numbered from 1: those from ``first`` to ``last``, of ``total``."""

    text: str
    first: int
    last: int
    total: int

    @property
    def more(self) -> str:
        """How to go on where lines are left, as a line of its own."""
        left = self.total - self.last
        return f"\n[{left} more lines; go on with start={self.last + 1}]" if left > 0 else ""


def lines_of(text: str) -> list[str]:
    """The lines without their ends. A newline ends a line, and nothing else does, as editors and compilers count."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def number(lines: Sequence[str], first: int) -> str:
    """Lines with their numbers."""
    return "\n".join(f"{at:6}\t{_shortened(line)}" for at, line in enumerate(lines, start=first))


def _shortened(line: str) -> str:
    left = len(line) - LINE_CHARACTERS
    return line if left <= 0 else f"{line[:LINE_CHARACTERS]}[... {left} more characters in this line]"


def page(name: str, lines: Sequence[str], start: int, end: int | None, most: int = PAGE_CHARACTERS) -> Page:
    """The lines from ``start`` to ``end``, as many as are shown at once. ToolRefused when there are no such lines."""
    total = len(lines)
    if start > max(1, total):
        raise ToolRefused(f"{name} has {total} lines. Start at one of them.")
    if end is not None and end < start:
        raise ToolRefused(f"`end` ({end}) is before `start` ({start}). Give them in order.")
    wanted = lines[start - 1 : end if end is not None else start - 1 + PAGE_LINES]
    size, shown = 0, 0
    while shown < len(wanted) and (size := size + len(_shortened(wanted[shown])) + 8) <= most:
        shown += 1
    return Page(text=number(wanted[:shown], start), first=start, last=start - 1 + shown, total=total)


def wrapped(text: str) -> list[str]:
    """The lines of a text, with those that are too long to be shown in pieces."""
    return [
        line[at : at + LINE_CHARACTERS] for line in lines_of(text) for at in range(0, len(line) or 1, LINE_CHARACTERS)
    ]
