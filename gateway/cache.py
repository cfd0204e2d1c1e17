"""The response cache: a call that was answered before, or is being answered now, is not paid for again.

It is exact: every part of the request, its owner and who answers make the key. It is asked for call by call
(``Call.cacheable``), since the same question twice may be meant to get two answers.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from domain.chat import FinishReason, Usage
from domain.errors import StorageUnavailable
from domain.reply_cache import KnownReply, ReplyCache
from gateway.base import Call, Completion

VERSION = 2
"""Is part of every key: what an older form of requests or replies left behind is not found."""

COMPLETE = frozenset({FinishReason.STOP, FinishReason.TOOL_CALLS})


def cache_key(call: Call, provider: str) -> str:
    """SHA-256, in hexadecimal digits, of all that the answer depends on: never of the task that asks."""
    parts = [VERSION, call.owner, provider, call.request.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass
class _Flight:
    """Equal calls that are under way at the same time: one is made, in the order in which they came."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    aboard: int = 0
    known: KnownReply | None = None


class CachedCalls:
    """Stands around the making of calls. ``known`` is where replies are kept."""

    def __init__(self, known: ReplyCache) -> None:
        self._known = known
        self._flights: dict[str, _Flight] = {}

    async def complete(self, call: Call, provider: str, make: Callable[[], Awaitable[Completion]]) -> Completion:
        """What ``make`` returns, or what an equal call was answered; that is marked as a hit.

        ``provider`` tells apart who answers: its name, and its address where servers share a name. Of equal calls at
        the same time one is made and the others wait for it. When it fails, is cancelled, or its reply is not complete,
        the next one of them is made, and its own error is what its caller gets.
        """
        started = time.monotonic()
        key = cache_key(call, provider)
        flight = self._flights.setdefault(key, _Flight())
        flight.aboard += 1
        try:
            async with flight.turn:
                with contextlib.suppress(StorageUnavailable):  # without the cache the call is only dearer
                    flight.known = flight.known or await self._known.find(key)
                if flight.known is not None:
                    return _hit(flight.known, time.monotonic() - started)
                completion = await make()
                if completion.reply.finish_reason in COMPLETE:
                    given = {"provider": completion.provider, "model": completion.model}
                    flight.known = KnownReply(reply=completion.reply, **given)
                    with contextlib.suppress(StorageUnavailable):  # the reply is paid for, and not lost
                        await self._known.keep(key, call.owner, flight.known)
                return completion
        finally:
            flight.aboard -= 1
            if not flight.aboard:
                del self._flights[key]


def _hit(known: KnownReply, latency_s: float) -> Completion:
    """A reply that cost nothing: nothing was sent, so no token was used."""
    unpaid = known.reply.model_copy(update={"usage": Usage()})
    by = {"provider": known.provider, "model": known.model}
    return Completion(reply=unpaid, **by, latency_s=latency_s, attempts=0, cache_hit=True)
