"""What a provider says against a key, or against a model, over the wire, and what the gateway does then."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from domain.errors import ModelAuthenticationFailed, NoCredit, UnknownModel
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


OF_THE_MODEL = (
    Refuse(403, "Project `proj_1` does not have access to model `m`", "model_not_found"),
    Refuse(403, "The model `m` is blocked at the organization level.", "model_permission_blocked_org"),
    Refuse(403, "The model `m` is blocked at the project level.", "model_permission_blocked_project"),
)


@pytest.mark.parametrize("refusal", OF_THE_MODEL, ids=lambda refusal: refusal.message)
async def test_a_model_that_a_key_may_not_use_is_unknown_and_the_key_serves_other_models(refusal: Refuse) -> None:
    async with asking([refusal, Say("yes")], KEYS[:1]) as (gateway, _, purse):
        told = re.escape(f"does not let this key use the model 'm' (HTTP 403: {refusal.message}")
        with pytest.raises(UnknownModel, match=told):
            await gateway.complete(call("openai/m"))
        assert (await gateway.complete(call("openai/other"))).reply.message.content == "yes"

    assert [outcome for _, _, outcome in purse.told()] == ["failed", "ok"]


async def test_a_key_that_is_forbidden_anything_else_is_set_aside() -> None:
    async with asking([Refuse(403, "Country not supported"), Say("yes")], KEYS[:1]) as (gateway, server, _):
        for _once_more in range(2):
            with pytest.raises(ModelAuthenticationFailed):
                await gateway.complete(call("openai/m"))
        assert len(server.requests) == 1
