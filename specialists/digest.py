"""What is told of exchanges that are left out: what was called, what came of it, and how things stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from domain.test_outcome import TestOutcome
from domain.tokens import bytes_within
from specialists.exchange import Exchange, describe_tests

HEAD = "The first {count} exchanges of this conversation are left out. What was called in them, and what came of it:"
MOST_LINES = 60
MOST_PATHS = 40


@dataclass(frozen=True)
class Digest:
    """How many exchanges it stands for, and what is known of them; the same exchanges give the same digest."""

    count: int = 0
    lines: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()
    tests: TestOutcome | None = None

    def __bool__(self) -> bool:
        return bool(self.lines)

    def plus(self, exchanges: Iterable[Exchange]) -> "Digest":
        """The digest of these as well, which came after those that it stands for."""
        made = self
        for exchange in exchanges:
            made = Digest(
                count=made.count + 1,
                lines=(*made.lines, *exchange.lines)[-MOST_LINES:],
                # What was touched last stands last.
                touched=tuple(dict.fromkeys(reversed((*made.touched, *exchange.touched))))[:MOST_PATHS][::-1],
                tests=exchange.tests or made.tests,
            )
        return made

    def text(self, tokens: int) -> str:
        """The digest in words, of at most about ``tokens``: of the calls, the newest are told."""
        end = [f"Files changed: {', '.join(self.touched)}"] if self.touched else []
        end += [f"The tests, when they were run last: {describe_tests(self.tests)}"] if self.tests is not None else []
        told = [_counted(line, len(list(same))) for line, same in groupby(self.lines)]
        left = bytes_within(tokens) - sum(len(line.encode()) + 1 for line in end) - len(HEAD)
        kept: list[str] = []
        for line in reversed(told):
            left -= len(line.encode()) + 1
            if left < 0:
                break
            kept.append(line)
        more = ["- (earlier calls are not told)"] if len(kept) < len(told) else []
        return "\n".join([HEAD.format(count=self.count), *more, *reversed(kept), *end])


NONE = Digest()
"""Of a history of which nothing is left out."""


def _counted(line: str, times: int) -> str:
    return f"- {line}" if times == 1 else f"- {line} ({times} times)"
