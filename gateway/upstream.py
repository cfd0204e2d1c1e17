"""A provider as the router sees it: its keys, whether it is well, how fast it is, and whose turn it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from domain import errors
from domain.errors import ModelAuthenticationFailed, RateLimited, SoundstageError
from gateway.base import Completion, Provider
from gateway.breaker import Breaker
from gateway.keys import KeyRing
from gateway.limiter import Limiter
from gateway.policy import GatewayPolicy

REFUSALS = (RateLimited, ModelAuthenticationFailed, errors.ModelRequestRejected, errors.UnknownModel)
"""Answers that say no, of a provider that is well: a rate that is limited is the key's."""

FAILURES = (errors.ModelOverloaded, errors.ModelTimeout, errors.ModelConnectionFailed, errors.ModelProtocolError)
"""What says of a provider that it is not well."""

PROBE_S = 10.0
"""How long a probe may take."""

NEWEST = 0.3
"""The weight of the newest time in the moving average."""


@dataclass
class Turn:
    """A call's turn at a provider with one of its keys. ``used`` are the tokens that it took."""

    key_id: str
    provider: Provider
    completion: Completion | None = None
    used: int = 0


class Upstream:
    """One provider, with an adapter for each of the ring's keys. ``place`` tells servers apart that share a name."""

    def __init__(
        self,
        ring: KeyRing,
        providers: Mapping[str, Provider],
        policy: GatewayPolicy,
        place: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = place
        self.first = next(iter(providers.values()))
        self.name, self.local = self.first.name, self.first.local
        self.breaker = Breaker(policy.breaker, now)
        self._ring = ring
        self._providers = dict(providers)
        limits = policy.limits_of(self.name)
        self._limiters = {key: Limiter(limits) for key in providers}
        self._seconds: dict[str, float] = {}

    def latency_s(self, model: str) -> float | None:
        """The moving average of the seconds to a model's first piece, or whole answer; None before the first one."""
        return self._seconds.get(model)

    def other_keys(self, error: SoundstageError, model: str) -> int:
        """With how many other keys a call of a model that failed so may be made at once."""
        if not isinstance(error, ModelAuthenticationFailed | RateLimited):
            return 0
        states = self._ring.states(model)
        return len(states) - 1 if any(not state.refused and state.rests_s == 0 for state in states) else 0

    @asynccontextmanager
    async def turn(self, model: str, task: str, tokens: int, patience_s: float) -> AsyncIterator[Turn]:
        """A turn for a call of a model, on a task, with at most so many tokens. What is raised inside is taken note of.

        ModelOverloaded where the provider is left alone at present, or the turn does not come; RateLimited where every
        key rests; ModelAuthenticationFailed where every key was refused.
        """
        key = await self._admitted(model, task, tokens, patience_s)
        turn = Turn(key, self._providers[key])
        try:
            with self._watched():
                yield turn
            self._answered(turn, model)
        except RateLimited as error:
            rest_s = self._ring.limited(key, model, error.retry_after_s)
            error.retry_after_s = rest_s if error.retry_after_s is None else error.retry_after_s
            raise
        except ModelAuthenticationFailed as error:
            self._ring.refused(key, str(error))
            raise
        finally:
            self._limiters[key].leave(tokens, turn.used)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Asks the breaker, and tells it how what is done inside has ended."""
        passed = self.breaker.enter()
        if passed is None:
            raise self._left_alone()
        try:
            yield
        except REFUSALS:
            self.breaker.succeeded()
            raise
        except FAILURES:
            self.breaker.failed(passed)
            raise
        except BaseException:
            self.breaker.left(passed)
            raise
        self.breaker.succeeded()

    async def _admitted(self, model: str, task: str, tokens: int, patience_s: float) -> str:
        """The key for a call whose turn has come: one that was limited or refused while it waited is not taken."""
        while True:
            chosen = self._ring.next(model, lambda key: self._limiters[key].load(tokens))
            if chosen.wait_s > 0:
                raise RateLimited(
                    f"{self.name} limits the rate: a key is free in {chosen.wait_s:.1f} s. Wait, or add another one.",
                    retry_after_s=chosen.wait_s,
                )
            if self.breaker.rest_s > 0:
                raise self._left_alone()
            key = chosen.key.id
            await self._limiters[key].enter(task, tokens, patience_s)
            if self._ring.free(key, model):
                return key
            self._limiters[key].leave(tokens, 0)

    def _left_alone(self) -> errors.ModelOverloaded:
        rest_s = self.breaker.rest_s
        return errors.ModelOverloaded(
            f"{self.name} failed again and again and is left alone for {rest_s:.1f} s. Wait, or use another model.",
            retry_after_s=rest_s,
        )

    def _answered(self, turn: Turn, model: str) -> None:
        self._ring.worked(turn.key_id, model)
        if turn.completion is not None:
            first = turn.completion.first_token_s
            seconds = turn.completion.latency_s if first is None else first
            known = self._seconds.get(model, seconds)
            self._seconds[model] = known + NEWEST * (seconds - known)

    async def probe(self) -> None:
        """Asks a provider that is left alone whether it answers: if not, it rests on, and no call is lost on it."""
        if self.breaker.closed or (passed := self.breaker.enter()) is None:
            return
        try:
            with suppress(*REFUSALS):
                async with asyncio.timeout(PROBE_S):
                    await self.first.models()
        except (TimeoutError, SoundstageError):
            self.breaker.failed(passed)
        finally:
            # A list of models is no answer of one: the next call finds out.
            self.breaker.left(passed)

    async def close(self) -> None:
        """Lets go of every connection."""
        for provider in self._providers.values():
            await provider.close()
