"""Ollama as Soundstage sets it up: it is asked nothing of which it would drop the beginning."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.providers import set_up
from app.settings import Settings
from domain.chat import ModelRequest, UserMessage
from domain.errors import ContextTooLong
from gateway.base import Provider
from tests.gateway.adapters.contract import Way, asked
from tests.wire.ollama_dialect import Ollama
from tests.wire.replies import Say
from tests.wire.server import WireServer

ANSWER_TOKENS = 1_000


@contextlib.asynccontextmanager
async def ollama(**settings: Any) -> AsyncIterator[tuple[Provider, WireServer]]:
    async with WireServer(Ollama(), [Say("ok")] * 9) as server:
        upstream = (await set_up(Settings(ollama_host=server.url, **settings)))["ollama"]
        try:
            yield upstream.first, server
        finally:
            await upstream.close()


def asking(model: str, tokens: int) -> ModelRequest:
    """A request that takes about so many tokens with its answer."""
    said = UserMessage(content="x" * 3 * (tokens - ANSWER_TOKENS - 100))
    return ModelRequest(model=model, messages=(said,), max_output_tokens=ANSWER_TOKENS)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("model", ["qwen3-coder:30b", "of-nobodys-knowledge"])
async def test_a_conversation_that_is_longer_than_the_context_that_is_kept_is_not_sent(way: Way, model: str) -> None:
    async with ollama() as (provider, server):
        await asked(provider, way, asking(model, 16_000))
        with pytest.raises(ContextTooLong, match=r"takes 16,384 tokens.*SOUNDSTAGE_OLLAMA_CONTEXT"):
            await asked(provider, way, asking(model, 17_000))
        (body,) = server.chats
    assert body["options"]["num_ctx"] == 16_384


@pytest.mark.usefixtures("home")
async def test_the_context_that_is_kept_can_be_set_and_a_model_takes_no_more_than_it_was_trained_for() -> None:
    async with ollama(soundstage_ollama_context=65_536) as (provider, server):
        await provider.complete(asking("qwen3-coder:30b", 60_000))
        with pytest.raises(ContextTooLong, match="takes 8,192 tokens"):
            await provider.complete(asking("smollm2", 9_000))
        (body,) = server.chats
    assert body["options"]["num_ctx"] == 65_536


async def test_what_is_known_of_a_persons_own_model_is_capped_as_well(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[model]]\nprovider = "ollama"\nid = "mine"\ncontext_tokens = 32_768\n')
    async with ollama(soundstage_models_file=own, soundstage_home=tmp_path) as (provider, server):
        with pytest.raises(ContextTooLong, match="takes 16,384 tokens"):
            await provider.complete(asking("mine", 20_000))
        assert server.chats == []
