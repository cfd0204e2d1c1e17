"""The boundary of the gateway: a provider of models, and what is asked of the gateway."""

from collections.abc import AsyncGenerator
from typing import Protocol

from pydantic import Field, SecretStr

from domain.base import Value
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.ledger import BudgetAlert
from domain.money import FREE, NanoUsd
from domain.task import LOCAL_OWNER
from gateway.deadlines import Deadlines


class Endpoint(Value):
    """Where a provider's server is and how to get in. ``connect_s`` and ``read_s`` are seconds: silence is
    borne for as long as a whole answer may take, since shorter deadlines are the gateway's.

    ``local``: it runs on this machine or in this house, costs nothing and needs no way out.
    """

    name: str
    base_url: str
    api_key: SecretStr = SecretStr("none")
    local: bool = False
    connect_s: float = Field(default=10.0, gt=0)
    read_s: float = Field(default=Deadlines().total_s, gt=0)


class Provider(Protocol):
    """One provider with one key. It sends a request once: retrying is the gateway's work.

    What it raises is listed in ``domain.errors`` for models; no exception of an SDK leaves it.
    """

    @property
    def name(self) -> str:
        """The provider's name in ledger entries and prices."""

    @property
    def local(self) -> bool:
        """Whether it is reached without a way out of the house."""

    @property
    def announcement(self) -> str:
        """What a person must know about it before it answers, or nothing."""

    @property
    def streams_schemas(self) -> bool:
        """Whether an answer that follows a schema comes in pieces where they are asked for, or in one all the same."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply, asked for in one piece."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas as they come, and the whole reply last. A stream without a proper end raises ModelProtocolError."""

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """A vector for each text. ModelRequestRejected where the provider offers none."""

    async def models(self) -> list[str]:
        """The ids of the models that the provider offers. It costs nothing, so it serves as the probe of health too."""

    async def close(self) -> None:
        """Lets go of connections. Once more does nothing."""


class Restarted(Value):
    """What came so far of an answer is void, ``because`` of this: the next pieces are another one, from its start."""

    because: str


class Call(Value):
    """A request and on whose account it goes.

    ``request.model`` names a route, see ``domain.route``. ``scope`` is the budget scope that bears the call;
    ``max_cost`` is in nano-USD. ``difficulty`` is the strength that the model should have, from 1 to 5. A
    ``cacheable`` call may be answered with the reply to an equal one.
    """

    request: ModelRequest
    task_id: str
    subtask_id: str = ""
    owner: str = LOCAL_OWNER
    specialist: str = ""
    purpose: str
    scope: str
    max_cost: NanoUsd | None = None
    difficulty: int = Field(default=3, ge=1, le=5)
    cacheable: bool = False


class Completion(Value):
    """A reply, who gave it, and what it cost, in nano-USD and seconds from the send.

    ``priced`` is False when no price is known. ``attempts`` counts the sends; with ``cache_hit`` the reply was known
    and nothing was sent. ``alerts`` says which budgets run out.
    """

    reply: ModelReply
    provider: str = ""
    model: str = ""
    cost: NanoUsd = FREE
    priced: bool = True
    latency_s: float = 0.0
    first_token_s: float | None = None
    attempts: int = 1
    alerts: tuple[BudgetAlert, ...] = ()
    cache_hit: bool = False
