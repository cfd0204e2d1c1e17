"""Keeping a conversation within a model's context."""

import json

from hypothesis import given
from hypothesis import strategies as st

from domain.chat import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from domain.tokens import estimate_messages
from specialists.context import FRESH, MASKED_CHARACTERS, fit

LENGTHS = st.integers(0, 3000)


def turn(kind: str, length: int, at: int) -> list[Message]:
    text = "x" * length
    if kind == "call":
        calls = (ToolCall(id=f"call_{at}", name="write_file", arguments=json.dumps({"content": text})),)
        return [AssistantMessage(tool_calls=calls), ToolMessage(tool_call_id=f"call_{at}", content=text)]
    return [AssistantMessage(content=text), UserMessage(content=text)]


TURNS = st.lists(st.tuples(st.sampled_from(["call", "text"]), LENGTHS), max_size=12)


def conversation(turns: list[tuple[str, int]]) -> list[Message]:
    messages: list[Message] = [SystemMessage(content="role " * 50), UserMessage(content="goal " * 50)]
    for at, (kind, length) in enumerate(turns):
        messages += turn(kind, length, at)
    return messages


@given(TURNS, st.integers(1, 5000))
def test_no_message_is_dropped_and_the_oldest_are_cut_first_and_the_role_never(
    turns: list[tuple[str, int]], tokens: int
) -> None:
    messages = conversation(turns)
    fitted = fit(messages, tokens)
    assert [message.role for message in fitted] == [message.role for message in messages]
    assert fitted[0] == messages[0]
    # The goal is the last that is cut; whatever was left whole before a cut one was short already.
    order = [*range(2, len(messages)), 1]
    cut = [at for at in order if fitted[at] != messages[at]]
    for at in order[: order.index(cut[-1])] if cut else []:
        assert len(fitted[at].content) < MASKED_CHARACTERS + 60


@given(TURNS, st.integers(1, 5000))
def test_a_tool_call_keeps_its_result_and_its_arguments_stay_json(turns: list[tuple[str, int]], tokens: int) -> None:
    waiting: list[str] = []
    for message in fit(conversation(turns), tokens):
        if isinstance(message, ToolMessage):
            assert message.tool_call_id == waiting.pop(0)
            continue
        assert not waiting
        if isinstance(message, AssistantMessage):
            waiting = [call.id for call in message.tool_calls]
            assert all(isinstance(json.loads(call.arguments), dict) for call in message.tool_calls)
    assert not waiting


@given(TURNS, st.integers(1, 5000))
def test_what_fits_is_left_alone_and_what_does_not_shrinks(turns: list[tuple[str, int]], tokens: int) -> None:
    messages = conversation(turns)
    fitted = fit(messages, tokens)
    if estimate_messages(messages) <= tokens:
        assert list(fitted) == messages
    assert estimate_messages(fitted) <= estimate_messages(messages) + len(messages) * 20


def test_old_observations_are_cut_short_before_newer_ones() -> None:
    messages = conversation([("text", 3000)] * 8)
    fitted = fit(messages, estimate_messages(messages) - 1000)
    lengths = [len(message.content) for message in fitted[2:]]
    assert lengths[0] < 300
    assert lengths[-FRESH:] == [3000] * FRESH
    assert lengths == sorted(lengths)


def test_a_conversation_with_long_old_observations_comes_down_to_its_estimate_messages() -> None:
    messages = conversation([("text", 20_000)] * 10)
    assert estimate_messages(fit(messages, 50_000)) <= 50_000


def test_old_files_that_were_written_by_tools_are_cut_short_as_well() -> None:
    messages = conversation([("call", 20_000)] * 10)
    assert estimate_messages(fit(messages, 50_000)) <= 50_000
