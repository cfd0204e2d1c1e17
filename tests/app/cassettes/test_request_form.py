"""Which requests are the same to a replay, and where two of them differ first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cassettes.request_form import alike, difference, form_of, masked
from domain.chat import (
    AssistantMessage,
    EmbeddingRequest,
    Message,
    ModelRequest,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from gateway.sanitiser import RULES, sanitised
from tests.gateway.test_sanitiser import CONVERSATIONS, GOOD

PROVIDERS = st.sampled_from(sorted(RULES))


def asking(*messages: Message, model: str = "m") -> ModelRequest:
    return ModelRequest(model=model, messages=messages)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("10 passed in 0.12s", "10 passed in 3.4s"),
        ("0.12 s  ok", "1e-3 s  ok"),
        ("slowest: 12 ms", "slowest: 340 ms"),
        ("at 2026-11-21T10:00:00Z", "at 2026-11-22 09:30:01.123+00:00"),
        ("now 1795274443.470385058", "now 1795274431.5097"),
        ("at 2026-11-21T15:20:43,478357501+00:00", "at 2026-11-21T15:20:31,5+00:00"),
        ("wrote /tmp/abc/x", "wrote /tmp/zzz_9/x"),
        ("see tmpab12cd_9 there", "see tmpq8z7y6x5 there"),
        ("pytest-of-me/pytest-0/a", "pytest-of-me/pytest-12/a"),
        ("task fb7d1382ecfd", "task 0a1b2c3d4e5f"),
        ("lease 6f1c2b9e-8a7d-4c3b-9e1f-0123456789ab", "lease 00000000-8a7d-4c3b-9e1f-0123456789ab"),
        ("<object at 0x7f3a2b1c0d90>", "<object at 0x7f0000000010>"),
        ("listening on 127.0.0.1:54321", "listening on 127.0.0.1:40000"),
    ],
)
def test_what_differs_from_run_to_run_is_masked(first: str, second: str) -> None:
    assert masked(first) == masked(second) != first


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("assert 1 == 2", "assert 1 == 3"),
        ("fibonacci(100) is 354224848179261915075", "fibonacci(100) is 354224848179261915076"),
        ("deadbeef cafe", "deadbeef face"),
        ("template", "temporal"),
        ("defaced feedback", "defaced facade"),
        ("port 8080", "port 8081"),
        ("1836311903", "1134903170"),
    ],
)
def test_what_was_said_is_not_masked(first: str, second: str) -> None:
    assert masked(first) != masked(second)


@given(CONVERSATIONS, PROVIDERS, PROVIDERS)
def test_the_form_does_not_depend_on_the_rules_of_the_provider_that_was_asked(
    messages: tuple[Message, ...], first: str, second: str
) -> None:
    request = asking(*messages)
    assert form_of(sanitised(request, first)) == form_of(sanitised(request, second)) == form_of(request)


def test_every_part_of_a_request_is_part_of_its_form() -> None:
    request = asking(*GOOD)
    for change in ({"model": "n"}, {"max_output_tokens": 1}, {"temperature": 0.5}, {"json_schema": {"type": "object"}}):
        assert form_of(request.model_copy(update=change)) != form_of(request)
    assert form_of(EmbeddingRequest(model="m", texts=("a",))) != form_of(EmbeddingRequest(model="m", texts=("b",)))


def test_the_first_difference_is_told_by_its_place_and_what_stands_there() -> None:
    said = "x" * 100
    first = form_of(asking(SystemMessage(content="Be brief."), UserMessage(content=f"{said} apples")))
    second = form_of(asking(SystemMessage(content="Be brief."), UserMessage(content=f"{said} pears")))
    told = difference(first, second)
    assert told.startswith("messages[1].content at character 101: ")
    assert "apples" in told
    assert "pears" in told
    assert said not in told


def test_a_request_that_goes_on_differs_where_the_other_one_ends() -> None:
    short = form_of(asking(UserMessage(content="a")))
    goes_on = (UserMessage(content="a"), AssistantMessage(content="b"), UserMessage(content="c"))
    told = difference(short, form_of(asking(*goes_on)))
    assert told.startswith("messages[1].role at character 0: ")
    assert difference(short, short[:-1]).endswith("asked nothing")


def test_the_nearest_is_the_one_that_is_the_same_for_longest() -> None:
    wanted = form_of(
        asking(UserMessage(content="count the pears"), AssistantMessage(content="3"), UserMessage(content="b"))
    )
    near = form_of(
        asking(UserMessage(content="count the pears"), AssistantMessage(content="4"), UserMessage(content="b"))
    )
    nearer = form_of(
        asking(UserMessage(content="count the pears"), AssistantMessage(content="3"), UserMessage(content="c"))
    )
    far = form_of(asking(UserMessage(content="count the plums"), ToolMessage(tool_call_id="x", content="b")))
    assert max([near, far, nearer], key=lambda form: alike(form, wanted)) == nearer
    assert max([near, far], key=lambda form: alike(form, wanted)) == near
