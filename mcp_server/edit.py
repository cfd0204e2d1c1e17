"""Replacing a piece of a text, tolerant of white space, and helpful when the piece is not there."""

from collections import Counter
from difflib import SequenceMatcher

from mcp_server.tool import ToolRefused

SHOWN_LINES = 40
COMPARED_LINES = 5_000
COMPARED_CHARACTERS = 160


def apply_edit(content: str, old: str, new: str) -> str:
    """``content`` with ``old`` replaced by ``new``.

    ``old`` must occur once as it is, or else once when the white space at both ends of each line is ignored; then
    ``new`` is indented as the text that it replaces. ToolRefused says what stands in the way, and shows the
    nearest region.
    """
    if not old.strip():
        raise ToolRefused("`old` is empty. Copy the lines to replace from the file, or use write_file for a whole one.")
    count = content.count(old)
    if count == 1:
        return content.replace(old, new, 1)
    if count > 1:
        raise ToolRefused(f"`old` occurs {count} times. Give more of the lines around it, so that it occurs once.")
    return _tolerant(content, old, new)


def _tolerant(content: str, old: str, new: str) -> str:
    lines = content.splitlines(keepends=True)
    wanted = [line.strip() for line in old.strip("\n").splitlines()]
    found = [
        at
        for at in range(len(lines) - len(wanted) + 1)
        if [line.strip() for line in lines[at : at + len(wanted)]] == wanted
    ]
    if len(found) > 1:
        raise ToolRefused(f"`old` occurs {len(found)} times. Give more of the lines around it, so that it occurs once.")
    if not found:
        raise ToolRefused(f"`old` does not occur in the file. The nearest region is:\n{nearest(content, old)}")
    at, end = found[0], found[0] + len(wanted)
    first = next(place for place, line in enumerate(wanted) if line)
    given = old.strip("\n").splitlines()[first]
    replacement = _reindent(new.strip("\n"), _indent(given), _indent(lines[at + first]))
    if replacement and (end < len(lines) or lines[end - 1].endswith("\n")):
        replacement += "\n"
    if lines[at].endswith("\r\n"):
        replacement = replacement.replace("\r\n", "\n").replace("\n", "\r\n")
    return "".join(lines[:at]) + replacement + "".join(lines[end:])


def _reindent(new: str, given: str, has: str) -> str:
    """``new`` with ``has`` in front of each line where the text to replace was ``given`` with other white space."""
    if has == given:
        return new
    moved = []
    for line in new.splitlines():
        if line.strip():
            line = has + line[len(given) :] if line.startswith(given) else has + line.lstrip()
        moved.append(line)
    return "\n".join(moved)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def nearest(content: str, old: str) -> str:
    """The lines of ``content`` that are most like ``old``, with their numbers.

    Lines that both have vote for where ``old`` would start; without any, the line most like its longest one decides.
    """
    lines = content.splitlines()
    wanted = [line.strip() for line in old.strip("\n").splitlines()][:SHOWN_LINES]
    votes: Counter[int] = Counter()
    places = {line: at for at, line in enumerate(wanted) if line}
    for at, line in enumerate(lines):
        if (place := places.get(line.strip())) is not None:
            votes[max(0, at - place)] += 1
    best = votes.most_common(1)[0][0] if votes else _most_alike(lines, max(wanted, key=len, default=""))
    start, end = max(0, best - 3), min(len(lines), best + len(wanted) + 3)
    return number(lines[start:end], start + 1)


def _most_alike(lines: list[str], wanted: str) -> int:
    matcher = SequenceMatcher(b=wanted[:COMPARED_CHARACTERS], autojunk=False)
    best, best_score = 0, 0.0
    for at, line in enumerate(lines[:COMPARED_LINES]):
        matcher.set_seq1(line.strip()[:COMPARED_CHARACTERS])
        if matcher.real_quick_ratio() > best_score and (score := matcher.quick_ratio()) > best_score:
            best, best_score = at, score
    return best


def number(lines: list[str], first: int) -> str:
    """Lines with their numbers."""
    return "\n".join(f"{at:6}\t{line}" for at, line in enumerate(lines, start=first))
