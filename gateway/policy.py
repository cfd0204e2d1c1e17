"""How the gateway goes about its calls."""

import random

from pydantic import Field

from domain import errors
from domain.base import Value
from domain.errors import ModelOverloaded, SoundstageError
from domain.money import NanoUsd
from gateway.breaker import BreakerPolicy
from gateway.deadlines import Deadlines
from gateway.limiter import RateLimits

PASSING = (ModelOverloaded, errors.ModelTimeout, errors.ModelConnectionFailed)
"""Failures that may pass by themselves."""


class RetryPolicy(Value):
    """How often a candidate is tried, and seconds: the first pause, which doubles each time, and the longest one."""

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


class GatewayPolicy(Value):
    """Deadlines, tries, when a provider is left alone, and limits by provider.

    ``max_call_cost``, in nano-USD, is for calls that name none. ``hedge_after_s``: a call without an answer after so
    many seconds is made a second time, with the next candidate. ``patience_s``: how long a call waits for its turn
    where limits are reached.
    """

    deadlines: Deadlines = Deadlines()
    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    limits: dict[str, RateLimits] = Field(default_factory=dict)
    max_call_cost: NanoUsd | None = None
    hedge_after_s: float | None = Field(default=None, gt=0)
    patience_s: float = Field(default=600.0, gt=0)

    def limits_of(self, provider: str) -> RateLimits:
        """What may be asked of a provider with one key."""
        return self.limits.get(provider, RateLimits())
