"""Gateways of several providers for tests, and a ledger that needs no thread."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import Any

from pydantic import SecretStr

from domain.chat import Delta, ModelReply, ModelRequest, UserMessage
from domain.errors import SoundstageError
from domain.ledger import Attempt, BudgetAlert, Ledger, Scope, Settlement, Spending
from domain.secrets import ProviderKey
from gateway.base import Call, Provider
from gateway.gateway import Gateway
from gateway.keys import KeyRing
from gateway.knowledge import Knowledge
from gateway.policy import GatewayPolicy, RetryPolicy
from gateway.scripted import Line, Scene, ScriptedProvider
from gateway.upstream import Upstream

SWIFT = RetryPolicy(pause_s=0.001, longest_pause_s=1.0)


class Purse:
    """A ledger with money for everything; it remembers what was settled."""

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}
        self.settled: list[Settlement] = []

    async def open(self, scope: Scope) -> None: ...

    async def reserve(self, attempt: Attempt) -> tuple[BudgetAlert, ...]:
        """Grants it."""
        self.attempts[attempt.id] = attempt
        return ()

    def settle(self, settlement: Settlement) -> Awaitable[None]:
        """Remembers it."""
        self.settled.append(settlement)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written

    def enter(self, attempt: Attempt, settlement: Settlement) -> Awaitable[None]:
        """Remembers it, too."""
        self.attempts[attempt.id] = attempt
        return self.settle(settlement)

    async def spending(self, scope_id: str) -> Spending:
        """Nothing."""
        return Spending()

    def told(self) -> list[tuple[str, str, str]]:
        """Provider, key and outcome of every attempt that ended, in order."""
        made = [(self.attempts[one.attempt_id], one) for one in self.settled]
        return [(attempt.provider, attempt.key_id, settlement.outcome.value) for attempt, settlement in made]


class Voice(ScriptedProvider):
    """A provider of some name that says its name, after some faults."""

    def __init__(self, name: str, *faults: SoundstageError | None, local: bool = False) -> None:
        super().__init__([Scene(when=(), lines=(Line(text=f"I am {name}"),))], faults=faults)
        self.name = name
        self.local = local


class Slow(Voice):
    """Takes its time, also to fail."""

    def __init__(self, name: str, seconds: float, *faults: SoundstageError) -> None:
        super().__init__(name, *faults)
        self.seconds = seconds

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """After so many seconds."""
        await asyncio.sleep(self.seconds)
        async for piece in super().stream(request):
            yield piece


def upstream(*providers: Provider, policy: GatewayPolicy | None = None, now: Any = None) -> Upstream:
    """One provider, with a key for each of its adapters: ``key0`` and so on."""
    keys = [f"key{number}" for number in range(len(providers))]
    clock = {} if now is None else {"now": now}
    ring = KeyRing(
        providers[0].name,
        [ProviderKey(id=key, provider=providers[0].name, secret=SecretStr(f"not-a-secret-{key}")) for key in keys],
        **clock,
    )
    return Upstream(ring, dict(zip(keys, providers, strict=True)), policy or GatewayPolicy(), **clock)


def house(purse: Purse, upstreams: Sequence[Upstream | Provider], **policy: Any) -> Gateway:
    """A gateway to all of them, quick to try again."""
    made = GatewayPolicy(**({"retry": SWIFT} | policy))
    return Gateway(
        [each if isinstance(each, Upstream) else upstream(each, policy=made) for each in upstreams], purse, made
    )


def call(route: str, **more: Any) -> Call:
    """A call that names a route."""
    request = ModelRequest(model=route, messages=(UserMessage(content="who are you?"),), max_output_tokens=100)
    return Call(**({"request": request, "task_id": "t1", "purpose": "test", "scope": "task:t1"} | more))


def single(
    provider: Provider,
    ledger: Ledger,
    policy: GatewayPolicy | None = None,
    knowledge: Knowledge | None = None,
) -> Gateway:
    """A gateway to one provider, whose adapter holds the key."""
    key = ProviderKey(id="", provider=provider.name, secret=SecretStr("none"))
    ring = KeyRing(provider.name, [key])
    return Gateway([Upstream(ring, {"": provider}, policy or GatewayPolicy())], ledger, policy, knowledge)
