"""How the gateway goes about its calls."""

from pydantic import Field

from domain.base import Value
from domain.money import NanoUsd
from gateway.breaker import BreakerPolicy
from gateway.deadlines import Deadlines
from gateway.limiter import Limits
from gateway.retry import RetryPolicy


class GatewayPolicy(Value):
    """Deadlines, tries, when a provider is left alone, and limits by provider.

    ``max_call_cost``, in nano-USD, is for calls that name none. ``hedge_after_s``: a call without an answer after so
    many seconds is made a second time, with the next candidate. ``patience_s``: how long a call waits for its turn
    where limits are reached.
    """

    deadlines: Deadlines = Deadlines()
    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    limits: dict[str, Limits] = Field(default_factory=dict)
    max_call_cost: NanoUsd | None = None
    hedge_after_s: float | None = Field(default=None, gt=0)
    patience_s: float = Field(default=600.0, gt=0)

    def limits_of(self, provider: str) -> Limits:
        """What may be asked of a provider with one key."""
        return self.limits.get(provider, Limits())
