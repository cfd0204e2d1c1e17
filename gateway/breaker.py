"""A circuit breaker: a provider that fails again and again is left alone for a while."""

import time
from collections.abc import Callable

from pydantic import Field

from domain.base import Value


class BreakerPolicy(Value):
    """After ``failures`` in a row it rests: ``rest_s`` seconds, doubled each time that it fails again at once."""

    failures: int = Field(default=3, ge=1)
    rest_s: float = Field(default=5.0, gt=0)
    longest_rest_s: float = Field(default=120.0, gt=0)


class Breaker:
    """Closed: calls pass. Open: none does. Half open, after the rest: one call, or a probe, finds out.

    Source: Michael Nygard, Release It!, "Circuit Breaker".
    """

    def __init__(self, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._failures = 0
        self._rests = 0
        self._opens_at: float | None = None
        self._probe: object | None = None

    @property
    def closed(self) -> bool:
        """Whether everybody may pass."""
        return self._opens_at is None

    @property
    def rest_s(self) -> float:
        """Seconds until the next call may pass; 0 where one may now."""
        if self._opens_at is None:
            return 0.0
        left = max(0.0, self._opens_at - self._clock())
        return left or (self._policy.rest_s if self._probe is not None else 0.0)

    def enter(self) -> object | None:
        """A pass for a call, to be handed to ``succeeded``, ``failed`` or ``left``; None where none may pass."""
        if self._opens_at is None:
            return object()
        if self.rest_s > 0:
            return None
        self._probe = object()
        return self._probe

    def succeeded(self) -> None:
        """The provider answered, be it with a refusal of what was asked."""
        self._failures = self._rests = 0
        self._opens_at, self._probe = None, None

    def failed(self, passed: object) -> None:
        """The provider did not answer, or answered that it cannot. Calls that fail together open it once."""
        if not self.closed and passed is not self._probe:
            return
        self._failures += 1
        if not self.closed or self._failures >= self._policy.failures:
            rest = min(self._policy.longest_rest_s, self._policy.rest_s * 2.0**self._rests)
            self._rests = min(self._rests + 1, 32)
            self._opens_at, self._probe = self._clock() + rest, None

    def left(self, passed: object) -> None:
        """The call ended without telling anything: it was cancelled, or another one was quicker."""
        if passed is self._probe:
            self._probe = None
