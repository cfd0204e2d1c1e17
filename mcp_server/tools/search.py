"""Searching in files."""

import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.command import Command, CommandResult, Verdict
from domain.text import one_line, plain
from mcp_server.caller import Permission
from mcp_server.lines import LINE_CHARACTERS
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.tools.paths import FolderPath, check_inside
from sandbox.base import IGNORED

HIDDEN = "--exclude-dir=.?*"
EXCLUDED = tuple(f"--exclude-dir={name}" for name in sorted(IGNORED))
TIMEOUT_S = 20.0
OUTPUT_LIMIT = 4 * 1024 * 1024
SHOWN_LINE = LINE_CHARACTERS // 4
MOST_LEFT_OUT = 2
TOO_HARD = re.compile(rb"grep: (?:\./)?([^\n]+): [^:\n]*backtrack")
"""What grep says of a file that the pattern takes too long for, and ends at."""
FOUND = re.compile(r"(?:\./)?([^\0]*)\0(\d{1,9})([:-])(.*)")
"""A line of grep's output: file, number, whether it matched or stands around, text."""


class Search(BaseModel):
    """Arguments of search."""

    model_config = ConfigDict(extra="forbid")

    pattern: str = Field(min_length=1, max_length=1000, description="a regular expression, as in Perl or Python")
    path: FolderPath = Field(default=".", description="file or folder to search; the whole workspace when left out")
    max_results: int = Field(default=50, ge=1, le=500, description="most matching lines to show")
    context: int = Field(default=0, ge=0, le=10, description="lines to show before and after each match")

    @field_validator("pattern")
    @classmethod
    def _one_line(cls, pattern: str) -> str:
        pattern = pattern.removesuffix("\n")
        if not pattern or "\n" in pattern:
            raise ValueError("a line is searched at a time: give a pattern without a newline")
        return pattern


class Match(BaseModel):
    """A line that matched; what is too long of it is cut."""

    path: str
    line: int
    text: str


class Matches(BaseModel):
    """What was found. ``total`` counts the matching lines that were seen; ``complete`` says whether all are told."""

    matches: list[Match]
    total: int
    complete: bool


async def _search(session: ToolSession, arguments: Search) -> ToolOutcome:
    await check_inside(session, arguments.path)
    result, note = await _grep(session, arguments, "-P"), ""
    left_out: list[str] = []
    while len(left_out) < MOST_LEFT_OUT and (hard := TOO_HARD.search(result.stderr)):
        left_out.append(hard[1].decode(errors="replace"))
        result = await _grep(session, arguments, "-P", left_out)
    if result.exit_code == 2 and not result.stdout and result.stderr and not TOO_HARD.search(result.stderr):
        # What is no regular expression is most often a piece of code.
        result = await _grep(session, arguments, "-F")
        note = "[the pattern is no regular expression, so it was searched for as plain text]\n"
    if not result.stdout and (result.stderr or result.exit_code is None):
        why = plain(result.text())[:500] or f"it took over {TIMEOUT_S:.0f} s"
        raise ToolRefused(f"The search failed: {why}. Try a simpler pattern, or a smaller folder.")
    return _outcome(result, arguments.max_results, note, left_out)


async def _grep(session: ToolSession, arguments: Search, kind: str, left_out: Sequence[str] = ()) -> CommandResult:
    # grep leaves out by name, wherever a file of that name is.
    names = (re.sub(r"([\\*?\[])", r"\\\1", path.rsplit("/", 1)[-1]) for path in left_out)
    # A hidden folder is searched where it is asked for by name.
    named = any(part.startswith(".") for part in arguments.path.split("/")) and arguments.path != "."
    around = ("-C", str(arguments.context)) if arguments.context else ()
    excluded = (*(() if named else (HIDDEN,)), *EXCLUDED, *(f"--exclude={name}" for name in names))
    options = ("-rnIHsZ", kind, *around, *excluded)
    command = Command(
        argv=("grep", *options, "-e", arguments.pattern, "--", arguments.path),
        timeout_s=TIMEOUT_S,
        output_limit=OUTPUT_LIMIT,
    )
    return await session.sandbox.run(command)


def _outcome(result: CommandResult, most: int, note: str, left_out: Sequence[str]) -> ToolOutcome:
    matches: list[Match] = []
    lines: list[str] = []
    total = 0
    for path, number, sign, text in _found(result.stdout):
        total += sign == ":"
        if total > most:
            continue
        if sign == ":":
            matches.append(Match(path=path, line=number, text=text))
        lines.append(f"{path}{sign}{number}{sign}{text}" if sign else "--")
    ended = result.verdict not in {Verdict.OK, Verdict.FAILED}
    unread = bool(left_out) or result.exit_code == 2
    data = Matches(matches=matches, total=total, complete=total <= most and not ended and not unread)
    if unread:
        note += _unread(result, left_out)
    if not matches:
        return ToolOutcome(text=f"{note}No match.", data=data)
    if total > most or ended:
        known = f"more than {total}" if ended else str(total)
        lines.append(f"[the first {len(matches)} of {known} matching lines; narrow the pattern or the path, or raise "
                     "max_results]")  # fmt: skip
    return ToolOutcome(text=note + "\n".join(lines), data=data)


def _unread(result: CommandResult, left_out: Sequence[str]) -> str:
    """What was not searched, as lines of their own."""
    note = ""
    if left_out:
        names = ", ".join(dict.fromkeys(one_line(path.rsplit("/", 1)[-1]) for path in left_out))
        note = f"[files called {names} were left out: the pattern takes too long there. Try a simpler one.]\n"
    if result.exit_code == 2:
        why = one_line(result.stderr.decode(errors="replace")).removeprefix("grep: ") or "some cannot be read"
        note += f"[not all files were searched: {why}]\n"
    return note


def _found(output: bytes) -> Iterator[tuple[str, int, str, str]]:
    """Path, number, sign and text of each line; without a sign, a gap between lines that do not follow each other."""
    for line in output.decode(errors="replace").split("\n"):
        if found := FOUND.fullmatch(line):
            text = plain(found[4])
            text = text if len(text) <= SHOWN_LINE else f"{text[:SHOWN_LINE]}[...]"
            yield plain(found[1]), int(found[2]), found[3], text
        elif line == "--":
            yield "", 0, "", ""


SEARCH_TOOLS = (
    Tool(
        name="search",
        description="Finds lines that match a regular expression, in a file or in all files below a folder.",
        session=ToolSession,
        arguments=Search,
        permission=Permission.READ,
        handler=_search,
        example={"pattern": "def main", "path": ".", "max_results": 50, "context": 0},
        data=Matches,
        read_only=True,
        idempotent=True,
        limits=ToolLimits(timeout_s=90),
    ),
)
