"""Who is asked next when a candidate failed, when, and when there is no use in asking any more."""

import asyncio
import math
from collections import Counter, deque

from domain import errors
from domain.errors import BudgetExceeded, ModelRequestRejected, SoundstageError
from domain.route import Candidate, Choice
from gateway.base import Completion
from gateway.policy import RetryPolicy

ANOTHER_MAY = (errors.ModelUnavailable, ModelRequestRejected, errors.UnknownModel, BudgetExceeded, errors.NotRecorded)
"""Failures after which another candidate may do better. A recording knows only whom the time had asked then."""

LITTLE_PATIENCE_S = 2.0
"""How long others are waited for where a candidate might answer another request at once."""


class Tries:
    """The tries of one call: its candidates in their order, and again, each at its time, those that may be better."""

    def __init__(self, choice: Choice, retry: RetryPolicy) -> None:
        self._waiting = deque(choice.able)
        self._again: dict[Candidate, float] = {}
        self._asked: list[Candidate] = []
        self._retry = retry
        self._patience_s = LITTLE_PATIENCE_S if choice.unable else math.inf
        self._tried: Counter[Candidate] = Counter()
        self._keys: Counter[Candidate] = Counter()
        self._errors: dict[Candidate, SoundstageError] = dict(choice.unable)
        self._final: SoundstageError | None = None
        self.count = 0

    async def next(self) -> Candidate:
        """The next candidate, after a pause where all have failed; what went wrong, where there is none."""
        if self._final is not None:
            raise self._final
        # Who was left for another one, which failed then, has not failed.
        self._waiting.extendleft(reversed(self._asked))
        self._asked.clear()
        if not self._waiting:
            await self._pause()
        return self._take()

    async def _pause(self) -> None:
        loop = asyncio.get_running_loop()
        soonest = min(self._again.values(), default=math.inf)
        if soonest - loop.time() > self._patience_s or not self._again:
            raise self._failure()
        await asyncio.sleep(soonest - loop.time())
        now = max(soonest, loop.time())
        for candidate in [each for each, at in self._again.items() if at <= now]:
            del self._again[candidate], self._keys[candidate]
            self._waiting.append(candidate)

    def spare(self) -> Candidate | None:
        """The next candidate that needs no pause, for a request besides the one under way."""
        return self._take() if self._waiting else None

    def _take(self) -> Candidate:
        self.count += 1
        self._asked.append(self._waiting.popleft())
        return self._asked[-1]

    def counted(self, completion: Completion) -> Completion:
        """The completion, with the number of tries that it took."""
        return completion if self.count == 1 else completion.model_copy(update={"attempts": self.count})

    def failed(self, candidate: Candidate, error: SoundstageError, other_keys: int) -> None:
        """Takes note. With each of ``other_keys`` it is asked again at once."""
        self._asked.remove(candidate)
        self._errors[candidate] = error
        if not isinstance(error, ANOTHER_MAY):
            self._final = error
        elif self._keys[candidate] < other_keys:
            self._keys[candidate] += 1
            self._waiting.appendleft(candidate)
        else:
            self._tried[candidate] += 1
            pause = self._retry.pause(self._tried[candidate], error)
            if pause is not None:
                self._again[candidate] = asyncio.get_running_loop().time() + pause

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
