"""What a provider says against a key, or against a model, over the wire, and what the gateway does then."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from domain.errors import ModelAuthenticationFailed, NoCredit
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Endpoint
from gateway.gateway import Gateway
from tests.gateway.house import Purse, call, house, upstream
from tests.wire.openai_dialect import OpenAIServer
from tests.wire.replies import Refuse, Reply, Say

KEYS = ("sk-the-first-0123456789", "sk-the-second-0123456789")


@asynccontextmanager
async def asking(replies: Sequence[Reply], keys: Sequence[str]) -> AsyncIterator[tuple[Gateway, OpenAIServer, Purse]]:
    """A gateway with these keys of one provider, the server that it asks, and its ledger."""
    purse = Purse()
    async with OpenAIServer(replies) as server:
        endpoints = [Endpoint(name="openai", base_url=server.url, api_key=SecretStr(key)) for key in keys]
        providers = [OpenAIProvider(endpoint) for endpoint in endpoints]
        try:
            yield house(purse, [upstream(*providers)]), server, purse
        finally:
            for provider in providers:
                await provider.close()


AT_ONCE = {"Retry-After": "0"}
NO_CREDIT = (
    Refuse(402, "Insufficient Balance"),
    Refuse(429, "You exceeded your current quota.", "insufficient_quota", AT_ONCE),
    Refuse(429, "Your project reached its spend limit.", "project_spend_limit_exceeded", AT_ONCE),
)


@pytest.mark.parametrize("refusal", NO_CREDIT, ids=lambda refusal: f"{refusal.status} {refusal.code}")
async def test_a_key_without_credit_is_set_aside_and_the_next_one_is_asked(refusal: Refuse) -> None:
    async with asking([refusal, Say("one"), Say("two")], KEYS) as (gateway, server, purse):
        answers = [await gateway.complete(call("openai/m")) for _ in range(2)]

    assert [answer.reply.message.content for answer in answers] == ["one", "two"]
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == [f"Bearer {KEYS[number]}" for number in (0, 1, 1)]
    assert [outcome for _, _, outcome in purse.told()] == ["failed", "ok", "ok"]
    assert purse.settled[0].usage.total_tokens == 0


async def test_when_no_key_has_credit_the_reason_is_told_and_nothing_more_is_sent() -> None:
    async with asking([NO_CREDIT[0]] * 2, KEYS) as (gateway, server, _):
        with pytest.raises(NoCredit):
            await gateway.complete(call("openai/m"))
        with pytest.raises(ModelAuthenticationFailed, match=r"key0: The account has no credit.*key1: The account has"):
            await gateway.complete(call("openai/m"))
        assert len(server.requests) == 2
