"""The boundary of the gateway: a model, and what is asked of the gateway."""

from collections.abc import AsyncGenerator
from typing import Protocol

from domain.base import Value
from domain.chat import ModelReply, ModelRequest
from domain.money import FREE, NanoUsd
from domain.task import LOCAL_OWNER


class Delta(Value):
    """A piece of an answer on its way: text to show, and reasoning kept apart."""

    text: str = ""
    reasoning: str = ""


class Model(Protocol):
    """One provider. It sends a request once: retrying is the gateway's work."""

    @property
    def provider(self) -> str:
        """The provider's name in ledger entries and prices."""
        ...

    @property
    def announcement(self) -> str:
        """What a person must know about it before it answers, or nothing."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas as they come, and the whole reply last. Raises what ``domain.errors`` lists for models."""
        ...

    async def models(self) -> list[str]:
        """The ids of the models that the provider offers."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


class Call(Value):
    """A request and on whose account it goes. ``scope`` is the budget scope that bears it."""

    request: ModelRequest
    task_id: str
    subtask_id: str = ""
    owner: str = LOCAL_OWNER
    specialist: str = ""
    purpose: str
    scope: str


class Completion(Value):
    """A reply and what it cost, in money and seconds. ``priced`` is False when no price is known."""

    reply: ModelReply
    cost: NanoUsd = FREE
    priced: bool = True
    latency_s: float = 0.0
    attempts: int = 1
