"""Who is asked next when a candidate failed, after what pause, and when there is no use in asking any more."""

import asyncio
import math
from collections import Counter, deque

from domain.errors import (
    BudgetExceeded,
    ContextTooLong,
    ModelRequestRejected,
    ModelUnavailable,
    NoModelAnswered,
    SoundstageError,
    UnknownModel,
)
from gateway.base import Completion
from gateway.retry import RetryPolicy
from gateway.route import Candidate
from gateway.router import Choice

ANOTHER_MAY = (ModelUnavailable, ModelRequestRejected, UnknownModel, BudgetExceeded)
"""Failures after which another candidate may do better."""

LITTLE_PATIENCE_S = 2.0
"""How long others are waited for where a candidate might answer another request at once."""


class Tries:
    """The tries of one call: rounds over its candidates, each of which is asked at once after the one before it
    failed, and a pause between two rounds."""

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
        """Takes note. Raises what no candidate can mend. Where there are ``other_keys``, the candidate is asked again
        at once, with each of them."""
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
        """One error for all. What the caller can do something about goes first: another request, or a smaller one, may
        be answered by who rejected this one while the others are away."""
        errors = list(self._errors.values())
        if len(errors) == 1:
            return errors[0]
        for kind in (BudgetExceeded, ContextTooLong, ModelRequestRejected):
            if found := [error for error in errors if isinstance(error, kind)]:
                return found[0]
        told = "; ".join(f"{candidate}: {error}" for candidate, error in self._errors.items())
        return NoModelAnswered(f"None of {len(errors)} models answered. {told}")
