"""Noticing that a specialist makes no progress.

Progress is what changes the files or the results of the tests, and within a bound what looks at something new. What a
model says or thinks never counts.
"""

import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from domain.base import Value
from domain.text import one_line
from mcp_server.client import Observation

SHOWN_CALL = 160


class StuckLimits(Value):
    """How often the same may happen before it counts as being stuck.

    The same call that shows the same on the same files, or fails in the same way; steps of going to and fro between two
    calls; steps without a change of files and results, not counting up to ``readings`` looks at something new.
    """

    same_result: int = Field(default=4, gt=1)
    same_error: int = Field(default=3, gt=1)
    alternating: int = Field(default=6, ge=4)
    idle_steps: int = Field(default=12, gt=1)
    readings: int = Field(default=12, ge=0)


class Circle(StrEnum):
    """How a specialist goes round in circles."""

    SAME_ERROR = "same_error"
    SAME_RESULT = "same_result"
    ALTERNATING = "alternating"
    IDLE = "idle"


class Stuck(NamedTuple):
    """A circle, how many times or steps it went so, and the calls in it, shortened."""

    circle: Circle
    times: int
    calls: tuple[str, ...] = ()


class Seen(NamedTuple):
    """A call, as its tool's name and arguments, and what came of it."""

    call: str
    observation: Observation


class StuckDetector:
    """Looks at one step after the other. ``progressed`` says whether the last one changed files or results."""

    def __init__(self, limits: StuckLimits, tree: str) -> None:
        self._limits = limits
        self._tests = ""
        self._states = {(self._tests, tree)}
        self._looked: set[str] = set()
        self._recent: deque[tuple[tuple[str, ...], str]] = deque(maxlen=limits.alternating)
        self.start_again()

    def start_again(self) -> None:
        """Forgets what was repeated, since the files were put back; what was there before is still nothing new."""
        self._counts: Counter[str] = Counter()
        self._recent.clear()
        self._idle = self._readings = 0
        self.progressed = False

    def see(self, step: Sequence[Seen]) -> Stuck | None:
        """Takes note of a step: the calls of one reply, at least one."""
        self._note_progress(step)
        self._recent.append((tuple(seen.call for seen in step), step[-1].observation.tree))
        repeated = self._repeated(step)
        if repeated is not None:
            return repeated
        if self._alternates():
            return Stuck(Circle.ALTERNATING, self._limits.alternating, tuple(map(_short, self._pair())))
        if self._idle and self._idle % self._limits.idle_steps == 0:
            return Stuck(Circle.IDLE, self._idle)
        return None

    def _note_progress(self, step: Sequence[Seen]) -> None:
        before, new = len(self._states), False
        for call, observation in step:
            if observation.tests is not None:
                self._tests = observation.tests.vector
            self._states.add((self._tests, observation.tree))
            if observation.read_only and observation.ok and call not in self._looked:
                self._looked.add(call)
                new = True
        self.progressed = len(self._states) > before
        if self.progressed:
            self._idle = self._readings = 0
        elif new and self._readings < self._limits.readings:
            self._readings += 1
        else:
            self._idle += 1

    def _repeated(self, step: Sequence[Seen]) -> Stuck | None:
        """The call of the step that most clearly goes on as before. Within one step the same call counts once."""
        found: list[Stuck] = []
        for key, seen in {_key(seen): seen for seen in step}.items():
            self._counts[key] += 1
            ok = seen.observation.ok
            if self._counts[key] >= (self._limits.same_result if ok else self._limits.same_error):
                circle = Circle.SAME_RESULT if ok else Circle.SAME_ERROR
                found.append(Stuck(circle, self._counts[key], (_short(seen.call),)))
        return max(found, key=lambda stuck: stuck.times, default=None)

    def _alternates(self) -> bool:
        if len(self._recent) < self._limits.alternating:
            return False
        first, second = list(self._recent)[:2]
        return first != second and all(step == (first, second)[at % 2] for at, step in enumerate(self._recent))

    def _pair(self) -> tuple[str, str]:
        first, second = list(self._recent)[:2]
        return "; ".join(first[0]), "; ".join(second[0])


def _key(seen: Seen) -> str:
    parts = (seen.call, seen.observation.text, seen.observation.tree)
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _short(call: str) -> str:
    return one_line(call, SHOWN_CALL)
