"""How much may be asked of a provider with one key at a time and in a minute, and whose turn it is."""

import asyncio
from collections import OrderedDict, deque

from pydantic import Field

from domain.base import Value
from domain.errors import ModelOverloaded

MINUTE_S = 60.0
TICK_S = 0.001
"""The shortest wait: one that is lost in rounding would never end."""


class RateLimits(Value):
    """Calls at a time, and requests and tokens in a minute; None is without limit."""

    concurrency: int | None = Field(default=None, gt=0)
    requests_per_minute: int | None = Field(default=None, gt=0)
    tokens_per_minute: int | None = Field(default=None, gt=0)


class _Bucket:
    """A token bucket: it fills up evenly within a minute. What does not fit into a full one may overdraw it."""

    def __init__(self, per_minute: int | None) -> None:
        self._size = per_minute
        self._level = float(per_minute or 0)
        self._seen = 0.0

    def wait_s(self, amount: int, now: float) -> float:
        """Seconds until so much may be taken."""
        if self._size is None:
            return 0.0
        self._level = min(self._size, self._level + (now - self._seen) * self._size / MINUTE_S)
        self._seen = now
        return max(0.0, (min(amount, self._size) - self._level) * MINUTE_S / self._size)

    def take(self, amount: int) -> None:
        """Takes so much; less than nothing gives it back."""
        if self._size is not None:
            self._level = min(self._size, self._level - amount)


class Limiter:
    """Lets calls pass within the limits. Those that wait take turns by task, so that many do not starve a few."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._requests = _Bucket(limits.requests_per_minute)
        self._tokens = _Bucket(limits.tokens_per_minute)
        self._running = 0
        self._queues: OrderedDict[str, deque[tuple[int, asyncio.Future[None]]]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return sum(not turn.done() for queue in self._queues.values() for _, turn in queue)

    def has_room(self, tokens: int) -> bool:
        """Whether a call of so many tokens would pass at once."""
        return not self._queues and self._wait_s(tokens) == 0

    def load(self, tokens: int) -> int:
        """How many calls wait where one of so many tokens would have to wait too, it included; 0 where it passes."""
        return 0 if self.has_room(tokens) else 1 + self.waiting

    async def enter(self, task: str, tokens: int, patience_s: float) -> None:
        """Waits for the turn of a task's call; ModelOverloaded when it does not come in time. Then ``leave``."""
        if self.has_room(tokens):
            self._take(tokens)
            return
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(task, deque()).append((tokens, turn))
        self._serve()
        try:
            async with asyncio.timeout(patience_s):
                await turn
        except BaseException as error:
            if turn.cancelled():
                self._serve()
            else:
                # It was let in at the very moment at which nobody waited any more.
                self.leave(tokens, 0)
            if isinstance(error, TimeoutError):
                raise ModelOverloaded(
                    f"No turn within {patience_s:.0f} s: the provider's limits are used up by {self._running} calls "
                    f"and {self.waiting} more wait. Raise them with SOUNDSTAGE_LIMITS, or wait."
                ) from None
            raise

    def leave(self, reserved: int, used: int) -> None:
        """A call ended that was let in with ``reserved`` tokens and used so many."""
        self._running -= 1
        self._tokens.take(used - reserved)
        self._serve()

    def _wait_s(self, tokens: int) -> float | None:
        """Seconds until a call may pass by the minute's limits; None when another one must end first."""
        if self._limits.concurrency is not None and self._running >= self._limits.concurrency:
            return None
        now = asyncio.get_running_loop().time()
        return max(self._requests.wait_s(1, now), self._tokens.wait_s(tokens, now))

    def _take(self, tokens: int) -> None:
        self._running += 1
        self._requests.take(1)
        self._tokens.take(tokens)

    def _serve(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queues:
            task, queue = next(iter(self._queues.items()))
            tokens, turn = queue[0]
            if not turn.done():
                wait = self._wait_s(tokens)
                if wait is None:
                    return
                if wait > 0:
                    self._timer = asyncio.get_running_loop().call_later(max(wait, TICK_S), self._serve)
                    return
                self._take(tokens)
                turn.set_result(None)
                self._queues.move_to_end(task)
            queue.popleft()
            if not queue:
                del self._queues[task]
