"""Indentation: what was written with one is put where the file has another."""

from collections.abc import Sequence

from mcp_server.lines import lines_of
from mcp_server.tool import ToolRefused


def reindent(new: str, given: Sequence[str], has: Sequence[str]) -> str:
    """``new`` indented as the file ``has`` the lines that were ``given`` with other white space.

    Levels further in become those of the file, tabs or blanks. ToolRefused where they cannot.
    """
    pairs: dict[str, str] = {}
    for one, other in zip(given, has, strict=True):
        if one.strip():
            pairs.setdefault(_indent(one), _indent(other))
    if all(one == other for one, other in pairs.items()):
        return new
    lines = lines_of(new)
    parts = [_parted(line, pairs) if line.strip() else ("", "", line) for line in lines]
    width = _tab_width(pairs, [further for _, further, _ in parts])
    return "\n".join(base + _as_there(base, further, width) + text for base, further, text in parts)


def _parted(line: str, pairs: dict[str, str]) -> tuple[str, str, str]:
    """The file's indentation for a line, what the line goes further in, and its text."""
    own = _indent(line)
    known = max((one for one in pairs if own.startswith(one)), key=len, default=None)
    if known is None:
        return next(iter(pairs.values())), "", line.lstrip()
    return pairs[known], own[len(known) :], line.lstrip()


def _tab_width(pairs: dict[str, str], further: Sequence[str]) -> int:
    """How many blanks stand for a tab: as the lines that both have say it, else the least that a line goes further."""
    levels = sorted(pairs.items(), key=lambda pair: len(pair[0]))
    least, most = levels[0] if len(levels) > 1 else ("", ""), levels[-1]
    between = (most[0].removeprefix(least[0]), most[1].removeprefix(least[1]))
    blanks, tabs = sorted(between, key=lambda indent: "\t" in indent)
    if set(blanks) == {" "} and set(tabs) == {"\t"} and len(blanks) % len(tabs) == 0:
        return len(blanks) // len(tabs)
    return min((len(one) for one in further if set(one) == {" "}), default=0)


def _as_there(base: str, further: str, width: int) -> str:
    if base.endswith("\t") and set(further) == {" "} and len(further) % width == 0:
        return "\t" * (len(further) // width)
    if base.endswith(" ") and set(further) == {"\t"} and width:
        return " " * (len(further) * width)
    if (base.endswith("\t") and " " in further) or (base.endswith(" ") and "\t" in further):
        raise ToolRefused("`new` would mix tabs and blanks in the indentation. Indent it as the file does there.")
    return further


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
