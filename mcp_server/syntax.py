"""Changes that would break a file that parses now."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from domain.text import one_line, plain
from mcp_server.lines import lines_of, number
from mcp_server.tool import ToolRefused

AROUND = 4
SHOWN_PROBLEMS = 3


class SyntaxProblem(Protocol):
    """A place where a file does not parse: its line, from 1, and what is wrong there."""

    @property
    def line(self) -> int:
        """The line."""
        ...

    @property
    def message(self) -> str:
        """What is wrong."""
        ...


SyntaxCheck = Callable[[str, bytes], Sequence[SyntaxProblem] | None]
"""What does not parse in a file of that path and content; None where the language is not known."""


async def check_change(check: SyntaxCheck | None, path: str, before: bytes | None, after: bytes) -> str:
    """A note on what does not parse in ``after``. ToolRefused, with the region, where ``before`` did parse."""
    problems = await _problems(check, path, after)
    if not problems:
        return ""
    told = "; ".join(f"line {problem.line}: {one_line(problem.message)}" for problem in problems[:SHOWN_PROBLEMS])
    if before is None or await _problems(check, path, before):
        return f"Note that {path} does not parse: {told}."
    lines = lines_of(plain(after.decode(errors="replace")))
    first = max(1, problems[0].line - AROUND)
    region = number(lines[first - 1 : problems[0].line + AROUND], first)
    raise ToolRefused(
        f"Nothing was changed, because {path} parses now and would not parse any more ({told}). "
        f"It would have been:\n{region}"
    )


async def _problems(check: SyntaxCheck | None, path: str, source: bytes) -> Sequence[SyntaxProblem]:
    found = None if check is None else await asyncio.to_thread(check, path, source)
    return found or ()
