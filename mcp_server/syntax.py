"""Changes that would break a file that parses now."""

import contextlib
from collections.abc import Sequence
from typing import Protocol

from domain.errors import ParserUnavailable
from mcp_server.code.languages import language_of
from mcp_server.tool import ToolRefused

SHOWN_PROBLEMS = 3


class SyntaxProblem(Protocol):
    """A place where a file does not parse: its line, from 1, and the lines around it with their numbers."""

    @property
    def line(self) -> int:
        """The line."""
        ...

    @property
    def region(self) -> str:
        """The lines around it."""
        ...


class SyntaxCheck(Protocol):
    """Parses files, as far as it knows their languages."""

    async def syntax_problems(self, path: str, source: bytes) -> Sequence[SyntaxProblem] | None:
        """Where a file does not parse; nothing where it does, None where nobody can tell."""
        ...

    async def broken_by(self, path: str, before: bytes, after: bytes) -> Sequence[SyntaxProblem]:
        """The same of a file that did parse before a change; nothing where the change may be made."""
        ...


async def check_change(check: SyntaxCheck | None, path: str, before: bytes | None, after: bytes) -> str:
    """A note on what does not parse in ``after``. ToolRefused, with the region, where ``before`` did parse.

    Nothing is said of a language whose grammar cannot tell for certain, and work goes on where nothing can be parsed.
    """
    language = language_of(path)
    if check is None or language is None or not language.exact:
        return ""
    with contextlib.suppress(ParserUnavailable):
        return await _checked(check, path, before, after)
    return ""


async def _checked(check: SyntaxCheck, path: str, before: bytes | None, after: bytes) -> str:
    if before is not None and (broken := await check.broken_by(path, before, after)):
        raise ToolRefused(
            f"Nothing was changed, because {path} parses now and would not parse any more ({_lines(broken)}). "
            f"It would have been:\n{broken[0].region}"
        )
    problems = await check.syntax_problems(path, after)
    return f"Note that {path} does not parse ({_lines(problems)})." if problems else ""


def _lines(problems: Sequence[SyntaxProblem]) -> str:
    numbers = ", ".join(str(problem.line) for problem in problems[:SHOWN_PROBLEMS])
    return f"line {numbers}" if len(problems) == 1 else f"lines {numbers}"
