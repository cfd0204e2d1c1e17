"""What the contract of all adapters runs on: each adapter with a server that speaks its provider's dialect.

A further provider is one more subject. Its oddities are tested beside, in a file of its own.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pytest
from pydantic import SecretStr

from domain.chat import Delta, EmbeddingRequest, FinishReason, ModelReply, ModelRequest, UserMessage
from domain.errors import SoundstageError
from gateway.adapters.adapter import Adapter
from gateway.adapters.groq_adapter import GroqProvider
from gateway.adapters.mistral_adapter import MistralProvider
from gateway.adapters.ollama_adapter import OllamaProvider
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Endpoint, Provider
from tests.wire.dialect import Dialect
from tests.wire.groq_dialect import Groq
from tests.wire.mistral_dialect import Mistral
from tests.wire.ollama_dialect import Ollama
from tests.wire.openai_dialect import OpenAI
from tests.wire.replies import Handler, Json, Raw, Refuse, Reply
from tests.wire.server import WireServer

KEY = "sk-very-secret-0123456789"
ASKED = ModelRequest(model="test-model", messages=(UserMessage(content="hello"),))
OPENAI_WORDS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "function_call": FinishReason.TOOL_CALLS,
    "eos_token": FinishReason.STOP,
}
MISTRAL_WORDS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
}
OLLAMA_WORDS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH, "load": FinishReason.STOP}


class Way(StrEnum):
    """The two ways to ask for an answer."""

    WHOLE = "whole"
    PIECES = "pieces"


@dataclass(frozen=True)
class Subject:
    """An adapter, and what is special about its provider."""

    name: str
    make: Callable[[Endpoint], Adapter]
    dialect: Dialect
    sdk: str
    """The package that must not be imported before the first request."""

    key_variable: str = ""
    """What an error about the key tells to set; empty where there is no key."""

    embeds: bool = True
    raw_arguments: bool = True
    """Whether the arguments of a tool call are a text on the wire, which may be no JSON."""

    tells_cached: bool = True
    """Whether the usage tells cached tokens."""

    tells_reasoning: bool = True
    """Whether the usage tells the tokens of reasoning."""

    lenient: frozenset[Way] = frozenset()
    """The ways in which the SDK itself makes numbers of what could be one, and does not tell what it was."""

    finishes: Mapping[str, FinishReason] = field(default_factory=lambda: OPENAI_WORDS)


OPENAI = Subject(name="openai", make=OpenAIProvider, dialect=OpenAI(), sdk="openai", key_variable="OPENAI_API_KEY")
GROQ = Subject(name="groq", make=GroqProvider, dialect=Groq(), sdk="groq", key_variable="GROQ_API_KEY", embeds=False)
MISTRAL = Subject(
    name="mistral",
    make=MistralProvider,
    dialect=Mistral(),
    sdk="mistralai",
    key_variable="MISTRAL_API_KEY",
    tells_reasoning=False,
    lenient=frozenset({Way.WHOLE}),
    finishes=MISTRAL_WORDS,
)
OLLAMA = Subject(
    name="ollama",
    make=OllamaProvider,
    dialect=Ollama(),
    sdk="ollama",
    raw_arguments=False,
    tells_cached=False,
    tells_reasoning=False,
    finishes=OLLAMA_WORDS,
)
SUBJECTS = (OPENAI, GROQ, MISTRAL, OLLAMA)

each = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
both = pytest.mark.parametrize("way", Way)
TEXTS = EmbeddingRequest(model="test-model", texts=("one", "two", "three"))


@contextlib.asynccontextmanager
async def talking(
    subject: Subject,
    replies: Sequence[Reply] | Handler,
    read_s: float = 60.0,
    models: Sequence[str] | Raw | Refuse = ("test-model",),
) -> AsyncIterator[tuple[Adapter, WireServer]]:
    """The adapter with a server that gives these replies."""
    async with WireServer(subject.dialect, replies, models) as server:
        provider = provider_at(subject, server.url, read_s)
        try:
            yield provider, server
        finally:
            await provider.close()


def provider_at(subject: Subject, url: str, read_s: float = 60.0, connect_s: float = 60.0) -> Adapter:
    """The adapter for a server at this URL."""
    key = SecretStr(KEY)
    return subject.make(Endpoint(name=subject.name, base_url=url, api_key=key, read_s=read_s, connect_s=connect_s))


async def pieces(provider: Provider, request: ModelRequest = ASKED) -> tuple[list[Delta], ModelReply]:
    """What a stream gives: its deltas, and the reply that must come last."""
    async with asyncio.timeout(60):
        *deltas, reply = [piece async for piece in provider.stream(request)]
    assert type(reply) is ModelReply
    assert all(type(delta) is Delta for delta in deltas)
    return [delta for delta in deltas if isinstance(delta, Delta)], reply


async def asked(provider: Provider, way: Way, request: ModelRequest = ASKED) -> ModelReply:
    """The reply, asked for in one way or the other."""
    if way is Way.PIECES:
        return (await pieces(provider, request))[1]
    async with asyncio.timeout(60):
        return await provider.complete(request)


async def answer(subject: Subject, way: Way, reply: Reply, request: ModelRequest = ASKED) -> ModelReply:
    """What the adapter makes of a server's reply."""
    async with talking(subject, [reply]) as (provider, _):
        return await asked(provider, way, request)


async def refusal(subject: Subject, way: Way, reply: Reply, read_s: float = 60.0) -> SoundstageError:
    """The error that the adapter makes of a server's reply."""
    async with talking(subject, [reply], read_s) as (provider, server):
        with pytest.raises(SoundstageError) as raised:
            await asked(provider, way)
        assert len(server.requests) == 1, "an adapter sends once; retrying is the gateway's work"
    return raised.value


def ours(provider: Adapter, error: BaseException) -> SoundstageError:
    """The error that an adapter makes of one that comes out of its SDK."""
    with pytest.raises(SoundstageError) as raised, provider.errors("test-model"):
        raise error
    assert raised.value.__cause__ is error
    return raised.value


def framed(dialect: Dialect, way: Way, document: bytes) -> bytes:
    """A document as it stands in a response: alone, or as one piece of a stream."""
    if way is Way.WHOLE:
        return document
    return b"data: %s\n\n" % document if dialect.stream_type == "text/event-stream" else document + b"\n"


def holds(body: Json, value: object) -> bool:
    """Whether a value occurs anywhere in a request's body."""
    waiting: list[object] = [body]
    while waiting:
        found = waiting.pop()
        if found == value and type(found) is type(value):
            return True
        waiting += found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return False
