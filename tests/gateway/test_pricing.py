import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.chat import (
    AssistantMessage,
    Image,
    Message,
    ModelRequest,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSchema,
    Usage,
    UserMessage,
)
from domain.money import NanoUsd
from domain.tariff import WrittenPrice
from domain.tokens import BYTES_PER_TOKEN, estimate_input_tokens, estimate_usage
from gateway.adapters.openai_wire import request_body
from gateway.pricing import Prices

MILLION = 1_000_000
COUNTS = st.integers(0, MILLION)
PRICES = Prices()
WRITTEN = WrittenPrice(provider="openai-compatible", id="qwen3*", input=Decimal("0.1"), output=Decimal("0.0000001"))


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-99-unheard-of"),
        ("openai", ""),
        ("groq", "whisper-large-v3"),
        ("mistral", "mistral-ocr-latest"),
        ("openai-compatible", "SmolLM2-135M-Instruct"),
        ("openai-compatible", "gpt-4o-mini"),
        ("nobody", "gpt-4o-mini"),
        ("", ""),
    ],
)
def test_a_price_that_is_not_known_is_none_and_never_zero(provider: str, model: str) -> None:
    assert PRICES.cost(provider, model, Usage(input_tokens=MILLION)) is None
    assert PRICES.cost(provider, model, Usage()) is None


@pytest.mark.parametrize(("provider", "local"), [("ollama", False), ("scripted", False), ("openai-compatible", True)])
def test_what_runs_on_the_own_machine_costs_nothing(provider: str, local: bool) -> None:
    assert PRICES.cost(provider, "whatever", Usage(input_tokens=MILLION, output_tokens=MILLION), local) == 0


def test_a_known_model_costs_what_its_provider_publishes() -> None:
    """OpenAI's price list: gpt-4o-mini is $0.15 for a million tokens in, $0.075 from the cache, $0.60 out."""
    assert PRICES.cost("openai", "gpt-4o-mini", Usage(input_tokens=MILLION)) == 150_000_000
    assert PRICES.cost("openai", "gpt-4o-mini", Usage(output_tokens=MILLION)) == 600_000_000
    assert PRICES.cost("openai", "gpt-4o-mini", Usage(input_tokens=MILLION, cached_tokens=MILLION)) == 75_000_000
    assert PRICES.cost("openai", "gpt-4o-mini", Usage(input_tokens=1)) == 150


def test_groq_and_mistral_have_price_lists_of_their_own() -> None:
    assert PRICES.cost("groq", "openai/gpt-oss-20b", Usage(input_tokens=1, cached_tokens=1)) == 38  # 37.5, rounded up
    assert PRICES.cost("mistral", "codestral-2508", Usage(output_tokens=10)) == 9000


def test_a_written_price_holds_for_its_family_and_goes_before_what_is_published_or_free() -> None:
    exact = WRITTEN.model_copy(update={"id": "qwen3-8b", "input": Decimal(2), "cached_input": Decimal(1)})
    ours = WRITTEN.model_copy(update={"provider": "openai", "id": "gpt-4o-mini", "input": Decimal(3)})
    prices = Prices([exact, WRITTEN, ours])

    assert prices.cost("openai-compatible", "Qwen3-32B", Usage(input_tokens=10, cached_tokens=10)) == 1000
    assert prices.cost("openai-compatible", "qwen3-8b", Usage(input_tokens=10, cached_tokens=10), True) == 10_000
    assert prices.cost("openai-compatible", "qwen3-x", Usage(output_tokens=1)) == 1  # a ten-thousandth, rounded up
    assert prices.cost("openai", "gpt-4o-mini", Usage(input_tokens=1)) == 3000
    assert prices.cost("openai", "gpt-4o", Usage(input_tokens=1)) == 2500


def test_input_that_is_written_to_a_cache_costs_more_where_that_was_said_and_never_less() -> None:
    said = WRITTEN.model_copy(update={"cache_write": Decimal("0.5")})
    written = Usage(input_tokens=10, cached_tokens=2, cache_write_tokens=6)

    assert Prices([WRITTEN]).cost("openai-compatible", "qwen3", written) == 10 * 100
    assert Prices([said]).cost("openai-compatible", "qwen3", written) == 4 * 100 + 6 * 500
    with pytest.raises(ValidationError, match="at least input"):
        WrittenPrice(provider="x", id="y", input=Decimal(2), cache_write=Decimal(1), output=Decimal(1))


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS)
def test_more_tokens_never_cost_less_and_a_cached_one_never_more(tokens: int, more: int, cached: int) -> None:
    def cost(input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> NanoUsd:
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, cached_tokens=cached_tokens)
        found = PRICES.cost("openai", "gpt-4o-mini", usage)
        assert found is not None
        return found

    assert 0 <= cost(tokens, tokens) <= cost(tokens + more, tokens)
    assert cost(tokens, tokens) <= cost(tokens, tokens + more)
    assert cost(tokens, tokens, cached) <= cost(tokens, tokens)


TEXTS = st.text(max_size=200)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS, TEXTS)
def test_the_estimate_of_a_request_is_not_below_a_token_for_three_bytes_that_are_sent(
    said: list[str], arguments: str, description: str
) -> None:
    call = ToolCall(id="c", name="shell", arguments=arguments)
    messages = (
        *(UserMessage(content=text) for text in said),
        AssistantMessage(content=description, tool_calls=(call,)),
        ToolMessage(tool_call_id="c", content=arguments),
    )
    request = ModelRequest(
        model="m",
        messages=messages,
        tools=(ToolSchema(name="shell", description=description, parameters={"type": "object"}),),
        json_schema={"type": "object", "description": description},
    )
    body = request_body(request, "max_tokens")
    sent = "".join(message["content"] for message in body["messages"]) + arguments
    schemas = json.dumps(body["tools"][0]["function"]) + json.dumps(request.json_schema)

    assert estimate_input_tokens(request) >= len((sent + schemas).encode()) / BYTES_PER_TOKEN


LONG = "x" * 3000
PLACES = [
    SystemMessage(content=LONG),
    UserMessage(content=LONG),
    AssistantMessage(content=LONG),
    AssistantMessage(tool_calls=(ToolCall(id="c", name=LONG, arguments=""),)),
    AssistantMessage(tool_calls=(ToolCall(id="c", name="", arguments=LONG),)),
    ToolMessage(tool_call_id="c", content=LONG),
]


@pytest.mark.parametrize("message", PLACES, ids=lambda message: message.role)
def test_text_counts_wherever_it_stands(message: Message) -> None:
    assert 1000 < estimate_input_tokens(ModelRequest(model="m", messages=(message,))) < 1030


def test_an_image_counts_whatever_its_size() -> None:
    def asked(size: int) -> ModelRequest:
        image = Image(media_type="image/png", data="A" * size)
        return ModelRequest(model="m", messages=(UserMessage(content="look", images=(image, image)),))

    bare = ModelRequest(model="m", messages=(UserMessage(content="look"),))
    assert estimate_input_tokens(asked(9)) == estimate_input_tokens(asked(10**6)) > estimate_input_tokens(bare) + 2000


def test_text_that_cannot_be_encoded_is_estimated_all_the_same() -> None:
    request = ModelRequest(model="m", messages=(UserMessage(content="\ud800" * 30),))
    assert estimate_usage(request, "\udfff" * 3).output_tokens == 3
    assert estimate_input_tokens(request) >= 30


def test_the_schema_of_the_answer_counts_like_everything_else_that_is_sent() -> None:
    bare = ModelRequest(model="m", messages=(UserMessage(content="plan"),))
    asked = bare.model_copy(update={"json_schema": {"type": "object", "description": "x" * 4000}})

    assert estimate_input_tokens(asked) - estimate_input_tokens(bare) >= 1000


def test_an_estimate_says_that_it_is_one() -> None:
    usage = estimate_usage(ModelRequest(model="m", messages=(UserMessage(content="hi"),)), "\u6f22" * 10)

    assert (usage.estimated, usage.output_tokens) == (True, 10)
