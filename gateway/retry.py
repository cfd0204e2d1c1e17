"""When a call that failed is worth another try, and after how long."""

import random

from pydantic import Field

from domain.base import Value
from domain.errors import ModelConnectionFailed, ModelOverloaded, ModelTimeout, SoundstageError


class RetryPolicy(Value):
    """Tries in all, and seconds: the first pause, which doubles each time, and the longest one."""

    attempts: int = Field(default=3, ge=1, le=10)
    pause_s: float = Field(default=0.5, ge=0)
    longest_pause_s: float = Field(default=30.0, ge=0)

    def pause(self, tried: int, error: SoundstageError) -> float | None:
        """Seconds to wait after ``tried`` tries, or None when another one is no use.

        A provider's Retry-After is honoured when it is not longer than ``longest_pause_s``; otherwise the pause is
        exponential with full jitter.
        """
        if tried >= self.attempts or not isinstance(error, ModelOverloaded | ModelTimeout | ModelConnectionFailed):
            return None
        if isinstance(error, ModelOverloaded) and error.retry_after_s is not None:
            return error.retry_after_s if error.retry_after_s <= self.longest_pause_s else None
        # Spreading load, not a secret.
        return random.uniform(0.5, 1.0) * min(self.longest_pause_s, self.pause_s * 2.0 ** (tried - 1))  # noqa: S311 - no secret
