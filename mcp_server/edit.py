"""Replacing a piece of a text, tolerant of white space, and helpful when the piece is not there."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import islice

from mcp_server.indentation import reindent
from mcp_server.lines import lines_of, number
from mcp_server.tool import ToolRefused

SHOWN_LINES = 40
COMPARED_LINES = 5_000
COMPARED_CHARACTERS = 160
SHOWN_PLACES = 10
NUMBERED = re.compile(r" *(\d{1,9})\t")


def apply_edit(content: str, old: str, new: str) -> str:
    """``content`` with ``old`` replaced by ``new``.

    ``old`` must occur once as it is, or else once when the white space at both ends of each line is ignored; then
    ``new`` is indented as the text that it replaces. Line numbers that were copied with the lines are left out, and
    lines end as those of the file do.
    ToolRefused says what stands in the way, and shows the nearest region.
    """
    if not old.strip():
        raise ToolRefused("`old` is empty. Copy the lines to replace from the file, or use write_file for a whole one.")
    count = content.count(old)
    if count == 1:
        return content.replace(old, _ended(new) if _ends_crlf(content) else new, 1)
    if count > 1:
        raise _several(content.count("\n", 0, found.start()) + 1 for found in re.finditer(re.escape(old), content))
    if (bare := _without_numbers(old)) != old and bare.strip() and _is_numbered_so(content, old):
        return apply_edit(content, bare, _without_numbers(new))
    return _tolerant(content, old, new)


def _several(lines: Iterable[int]) -> ToolRefused:
    first = list(islice(lines, SHOWN_PLACES + 1))
    count = f"{len(first)} times" if len(first) <= SHOWN_PLACES else f"more than {SHOWN_PLACES} times"
    places = ", ".join(map(str, first[:SHOWN_PLACES]))
    return ToolRefused(
        f"`old` occurs {count}, at lines {places}. Give more of the lines around it, so that it occurs once."
    )


def _without_numbers(text: str) -> str:
    """The text without the line numbers that a tool showed, where every line has one."""
    lines = text.split("\n")
    if not all(NUMBERED.match(line) for line in lines if line.strip()):
        return text
    return "\n".join(NUMBERED.sub("", line, count=1) for line in lines)


def _is_numbered_so(content: str, old: str) -> bool:
    """Whether the numbers in front of the lines are those that the lines have in the file."""
    lines = lines_of(content)
    for line in filter(str.strip, old.split("\n")):
        found = NUMBERED.match(line)
        at = int(found[1]) if found else 0
        if found is None or not 0 < at <= len(lines) or lines[at - 1].strip() != line[found.end() :].strip():
            return False
    return True


def _ends_crlf(content: str) -> bool:
    return content.count("\n") == content.count("\r\n") > 0


def _ended(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _tolerant(content: str, old: str, new: str) -> str:
    lines = re.findall(r"[^\n]*\n|[^\n]+", content)
    given = lines_of(old.strip("\n"))
    wanted = [line.strip() for line in given]
    found = list(islice(_places([line.strip() for line in lines], wanted), SHOWN_PLACES + 1))
    if len(found) > 1:
        raise _several(at + 1 for at in found)
    if not found:
        raise ToolRefused(f"`old` does not occur in the file. The nearest region is:\n{nearest(content, old)}")
    at, end = found[0], found[0] + len(wanted)
    replacement = reindent(new.strip("\n"), given, lines[at:end])
    if replacement and (end < len(lines) or lines[end - 1].endswith("\n")):
        replacement += "\n"
    if lines[at].endswith("\r\n"):
        replacement = _ended(replacement)
    return "".join(lines[:at]) + replacement + "".join(lines[end:])


def _places(lines: list[str], wanted: list[str]) -> Iterator[int]:
    """Where ``wanted`` stands among the lines. A text is searched in linear time, lists compared in turn are not."""
    text, piece = "\n".join(["", *lines, ""]), "\n".join(["", *wanted, ""])
    at = text.find(piece)
    while at >= 0:
        yield text.count("\n", 0, at)
        at = text.find(piece, at + 1)


def nearest(content: str, old: str) -> str:
    """The lines of ``content`` that are most like ``old``, with their numbers.

    Lines that both have vote for where ``old`` would start; without any, the line most like its longest one decides.
    """
    lines = lines_of(content)
    wanted = [line.strip() for line in lines_of(old.strip("\n"))][:SHOWN_LINES]
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
