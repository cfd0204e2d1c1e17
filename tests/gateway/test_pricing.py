import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chat import AssistantMessage, ModelRequest, ToolCall, ToolSchema, Usage, UserMessage
from domain.money import NanoUsd
from gateway.adapters.openai_wire import request_body
from gateway.pricing import estimate_input_tokens, estimate_usage, price

MILLION = 1_000_000
COUNTS = st.integers(0, MILLION)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-99-unheard-of"),
        ("openai", ""),
        ("openai-compatible", "SmolLM2-135M-Instruct"),
        ("openai-compatible", "gpt-4o-mini"),
        ("nobody", "gpt-4o-mini"),
        ("", ""),
    ],
)
def test_a_price_that_is_not_known_is_none_and_never_zero(provider: str, model: str) -> None:
    assert price(provider, model, Usage(input_tokens=MILLION)) is None
    assert price(provider, model, Usage()) is None


@pytest.mark.parametrize("provider", ["ollama", "scripted"])
def test_what_runs_on_the_own_machine_costs_nothing(provider: str) -> None:
    assert price(provider, "whatever", Usage(input_tokens=MILLION, output_tokens=MILLION)) == 0


def test_a_known_model_costs_what_its_provider_publishes() -> None:
    """OpenAI's price list: gpt-4o-mini is $0.15 for a million tokens in, $0.075 from the cache, $0.60 out."""
    assert price("openai", "gpt-4o-mini", Usage(input_tokens=MILLION)) == 150_000_000
    assert price("openai", "gpt-4o-mini", Usage(output_tokens=MILLION)) == 600_000_000
    assert price("openai", "gpt-4o-mini", Usage(input_tokens=MILLION, cached_tokens=MILLION)) == 75_000_000
    assert price("openai", "gpt-4o-mini", Usage(input_tokens=1)) == 150


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS)
def test_more_tokens_never_cost_less_and_a_cached_one_never_more(tokens: int, more: int, cached: int) -> None:
    def cost(input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> NanoUsd:
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, cached_tokens=cached_tokens)
        found = price("openai", "gpt-4o-mini", usage)
        assert found is not None
        return found

    assert 0 <= cost(tokens, tokens) <= cost(tokens + more, tokens)
    assert cost(tokens, tokens) <= cost(tokens, tokens + more)
    assert cost(tokens, tokens, cached) <= cost(tokens, tokens)


TEXTS = st.text(max_size=200)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS, TEXTS)
def test_the_estimate_of_a_request_is_not_below_a_token_for_four_bytes_that_are_sent(
    said: list[str], arguments: str, description: str
) -> None:
    call = ToolCall(id="c", name="shell", arguments=arguments)
    request = ModelRequest(
        model="m",
        messages=(*(UserMessage(content=text) for text in said), AssistantMessage(content="", tool_calls=(call,))),
        tools=(ToolSchema(name="shell", description=description, parameters={"type": "object"}),),
        json_schema={"type": "object", "description": description},
    )
    body = request_body(request, "max_tokens", stream=False)
    sent = "".join(message["content"] for message in body["messages"]) + arguments + description * 2

    assert estimate_input_tokens(request) >= len(sent.encode()) / 4


def test_the_schema_of_the_answer_counts_like_everything_else_that_is_sent() -> None:
    bare = ModelRequest(model="m", messages=(UserMessage(content="plan"),))
    asked = bare.model_copy(update={"json_schema": {"type": "object", "description": "x" * 4000}})

    assert estimate_input_tokens(asked) - estimate_input_tokens(bare) >= 1000


def test_an_estimate_says_that_it_is_one() -> None:
    usage = estimate_usage(ModelRequest(model="m", messages=(UserMessage(content="hi"),)), "\u6f22" * 10)

    assert (usage.estimated, usage.output_tokens) == (True, 10)
