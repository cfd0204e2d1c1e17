"""Who is asked next when a candidate failed, after what pause, and when there is no use in asking any more."""

import asyncio
import math
import random
from collections import Counter, deque

from pydantic import Field

from domain import errors
from domain.base import Value
from domain.errors import BudgetExceeded, ModelOverloaded, ModelRequestRejected, SoundstageError
from domain.route import Candidate, Choice
from gateway.base import Completion

ANOTHER_MAY = (errors.ModelUnavailable, ModelRequestRejected, errors.UnknownModel, BudgetExceeded)
"""Failures after which another candidate may do better."""

PASSING = (ModelOverloaded, errors.ModelTimeout, errors.ModelConnectionFailed)
"""Failures that may pass by themselves."""

LITTLE_PATIENCE_S = 2.0
"""How long others are waited for where a candidate might answer another request at once."""


class RetryPolicy(Value):
    """Tries in all, and seconds: the first pause, which doubles each time, and the longest one."""

    attempts: int = Field(default=3, ge=1, le=10)
    pause_s: float = Field(default=0.5, ge=0)
    longest_pause_s: float = Field(default=30.0, ge=0)

    def pause(self, tried: int, error: SoundstageError) -> float | None:
        """Seconds to wait after ``tried`` tries, or None when another one is no use.

        A provider's Retry-After is honoured up to ``longest_pause_s``; else the pause is exponential with jitter.
        """
        if tried >= self.attempts or not isinstance(error, PASSING):
            return None
        if isinstance(error, ModelOverloaded) and error.retry_after_s is not None:
            return error.retry_after_s if error.retry_after_s <= self.longest_pause_s else None
        return random.uniform(0.5, 1.0) * min(self.longest_pause_s, self.pause_s * 2.0 ** (tried - 1))  # noqa: S311 - jitter


class Tries:
    """The tries of one call: rounds over its candidates, with a pause between two rounds."""

    def __init__(self, choice: Choice, retry: RetryPolicy) -> None:
        self._round = deque(choice.able)
        self._retry = retry
        self._patience_s = LITTLE_PATIENCE_S if choice.unable else math.inf
        self._rounds = 1
        self._again: list[Candidate] = []
        self._pauses: list[float] = []
        self._keys: Counter[Candidate] = Counter()
        self._errors: dict[Candidate, SoundstageError] = dict(choice.unable)
        self.count = 0

    async def next(self) -> Candidate:
        """The next candidate, after a pause where a new round begins; what went wrong, where there is none."""
        if not self._round:
            if not self._pauses or min(self._pauses) > self._patience_s:
                raise self._failure()
            await asyncio.sleep(min(self._pauses))
            self._round.extend(self._again)
            self._again, self._pauses = [], []
            self._keys.clear()
            self._rounds += 1
        return self._take()

    def spare(self) -> Candidate | None:
        """The next candidate of this round, for a request besides the one under way."""
        return self._take() if self._round else None

    def _take(self) -> Candidate:
        self.count += 1
        return self._round.popleft()

    def counted(self, completion: Completion) -> Completion:
        """The completion, with the number of sends that it took."""
        return completion if self.count == 1 else completion.model_copy(update={"attempts": self.count})

    def failed(self, candidate: Candidate, error: SoundstageError, other_keys: int) -> None:
        """Takes note; raises what no candidate can mend. With each of ``other_keys`` it is asked again at once."""
        self._errors[candidate] = error
        if not isinstance(error, ANOTHER_MAY):
            raise error
        if self._keys[candidate] < other_keys:
            self._keys[candidate] += 1
            self._round.appendleft(candidate)
            return
        pause = self._retry.pause(self._rounds, error)
        if pause is not None:
            self._again.append(candidate)
            self._pauses.append(pause)

    def _failure(self) -> SoundstageError:
        """One error for all. First what the caller can mend: who rejected this request may answer another one."""
        failures = list(self._errors.values())
        for kind in (BudgetExceeded, errors.ContextTooLong, ModelRequestRejected):
            if found := [error for error in failures if isinstance(error, kind)]:
                return found[0]
        if len(failures) == 1:
            return failures[0]
        told = "; ".join(f"{candidate}: {error}" for candidate, error in self._errors.items())
        return errors.NoModelAnswered(f"None of {len(failures)} models answered. {told}")
