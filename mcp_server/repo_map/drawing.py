"""The map as text: files, and below them their symbols as an outline."""

from collections.abc import Mapping

from domain.text import one_line
from domain.tokens import bytes_within
from mcp_server.repo_map.selection import Selection

INDENT = "  "
LINE_CHARACTERS = 200
MISSES = 50
"""After so many in a row that do not fit, nothing smaller is looked for."""


class Drawing:
    """What is shown so far, and how much room is left, in bytes."""

    def __init__(self, selection: Selection, budget_tokens: int) -> None:
        self._selection = selection
        self._room = bytes_within(budget_tokens) + 1
        self._shown: dict[str, dict[int, str]] = {}

    def fill(self) -> None:
        """Shows what was selected, one after the other, what does not fit left out."""
        misses = 0
        for path, index in self._selection.choices():
            misses = 0 if self._add(path, index) else misses + 1
            if misses == MISSES:
                return

    def text(self) -> str:
        """The map, at most as many tokens as the budget."""
        parts = []
        for path, symbols in self._shown.items():
            parts.append(_head(path, bool(symbols)))
            parts += [symbols[index] for index in sorted(symbols)]
        return "\n".join(parts)

    def _add(self, path: str, index: int | None) -> bool:
        """Shows a symbol with those around it, or a file; False when there is no room."""
        known = self._shown.get(path)
        lines = self._lines(path, index, known or {})
        size = sum(len(line.encode("utf-8", "replace")) + 1 for line in lines.values())
        size += _head_bytes(path, bool(known or lines)) - (_head_bytes(path, bool(known)) if known is not None else 0)
        if size > self._room:
            return False
        self._room -= size
        self._shown.setdefault(path, {}).update(lines)
        return True

    def _lines(self, path: str, index: int | None, known: Mapping[int, str]) -> dict[int, str]:
        """The lines that are still to be shown for a symbol."""
        symbols = self._selection.outline(path).symbols if index is not None else ()
        wanted: list[int] = []
        while index is not None and index not in known and len(wanted) <= self._room:
            wanted.append(index)
            index = symbols[index].parent
        around = known.get(index, "") if index is not None else ""
        outside = (len(around) - len(around.lstrip(" "))) // len(INDENT)
        return {
            place: INDENT * depth + one_line(symbols[place].signature, LINE_CHARACTERS)
            for depth, place in enumerate(reversed(wanted), start=outside + 1)
        }


def _head(path: str, has_symbols: bool) -> str:
    return one_line(path, 4 * LINE_CHARACTERS) + (":" if has_symbols else "")


def _head_bytes(path: str, has_symbols: bool) -> int:
    return len(_head(path, has_symbols).encode("utf-8", "replace")) + 1
