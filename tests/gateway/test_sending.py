"""What a send is settled at."""

import pytest

from domain.chat import MOST_TOKENS, Usage
from domain.errors import ModelConnectionFailed, ModelProtocolError
from domain.tokens import estimate_most
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Endpoint
from gateway.policy import GatewayPolicy, RetryPolicy
from gateway.pricing import Prices
from tests.gateway.books import CALL, Books, over_the_wire
from tests.gateway.house import single
from tests.wire.openai_dialect import OpenAI, OpenAIServer
from tests.wire.replies import Say, Tokens
from tests.wire.server import full_url


async def test_a_call_costs_what_the_provider_says_it_used(books: Books) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": {"cached_tokens": 400}}
    async with OpenAIServer([Say("hi", usage=usage)]) as server:
        model = OpenAIProvider(Endpoint(name="openai", base_url=server.url))
        completion = await single(model, books.ledger).collect(CALL)
        await model.close()

    used = Usage(input_tokens=1000, output_tokens=500, cached_tokens=400)
    assert completion.cost == Prices().cost("openai", "gpt-4o-mini", used) == (600 * 150 + 400 * 75 + 500 * 600)
    (entry,) = await books.entries()
    assert (entry["cost"], entry["priced"], entry["estimated"]) == (completion.cost, 1, 0)
    assert (await books.spent()).settled == completion.cost


async def test_what_the_provider_writes_to_its_cache_has_its_own_price_and_is_reserved_at_it(books: Books) -> None:
    told = {"cached_tokens": 100, "cache_write_tokens": 700}
    usage = {"prompt_tokens": 1000, "completion_tokens": 10, "prompt_tokens_details": told}
    sol = CALL.model_copy(
        update={"request": CALL.request.model_copy(update={"model": "gpt-6-sol", "max_output_tokens": 10})}
    )
    async with OpenAIServer([Say("hi", usage=usage)]) as server:
        model = OpenAIProvider(Endpoint(name="openai", base_url=server.url))
        completion = await single(model, books.ledger).collect(sol)
        await model.close()

    # OpenAI's price list: $2 for a million tokens in, $0.20 from the cache, $2.50 to the cache, $10 out.
    assert completion.cost == 200 * 2000 + 100 * 200 + 700 * 2500 + 10 * 10_000
    (entry,) = await books.entries()
    assert entry["cache_write_tokens"] == 700
    most = estimate_most(sol.request)
    assert most.input_tokens * 2500 + most.output_tokens * 10_000 == entry["cost"] - entry["overrun"]


async def test_a_usage_that_the_provider_did_not_tell_is_estimated_and_marked(books: Books) -> None:
    assert await over_the_wire(books, [Say("hi" * 50, usage=None)]) == (None, 1)

    (entry,) = await books.entries()
    assert (entry["estimated"], entry["input_tokens"]) == (1, estimate_most(CALL.request).input_tokens)
    assert entry["cost"] > 0


async def test_an_answer_that_breaks_off_costs_what_the_provider_told_of_it_all_the_same(books: Books) -> None:
    raised, _ = await over_the_wire(books, [Say("never ending", finish=None, usage=Tokens(input=1000, output=500))])

    assert isinstance(raised, ModelProtocolError)
    (entry,) = await books.entries()
    assert (entry["outcome"], entry["estimated"]) == ("failed", 0)
    assert (entry["input_tokens"], entry["output_tokens"], entry["cost"]) == (1000, 500, 1000 * 150 + 500 * 600)
    assert (await books.spent()).settled == entry["cost"]


@pytest.mark.parametrize(("tokens", "outcome"), [(MOST_TOKENS, ("ok", "")), (10**20, ("failed", "ModelProtocolError"))])
async def test_whatever_number_of_tokens_a_provider_tells_the_ledger_bears_it(
    books: Books, tokens: int, outcome: tuple[str, str]
) -> None:
    await over_the_wire(books, [Say("hi", usage=Tokens(input=tokens, output=tokens))])

    assert await books.outcomes() == [outcome]
    assert await over_the_wire(books, [Say("hi")]) == (None, 1)
    await books.spent()


async def test_who_is_not_let_in_pays_nothing(books: Books) -> None:
    with full_url(OpenAI()) as url:
        model = OpenAIProvider(Endpoint(name="openai", base_url=url, connect_s=0.2))
        with pytest.raises(ModelConnectionFailed):
            await single(model, books.ledger, GatewayPolicy(retry=RetryPolicy(attempts=1))).collect(CALL)
        await model.close()

    assert await books.outcomes() == [("failed", "ModelConnectionFailed")]
    assert (await books.spent()).settled_tokens == 0
