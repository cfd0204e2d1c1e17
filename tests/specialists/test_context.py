"""Keeping a conversation within a model's context."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from domain.test_outcome import TestOutcome
from domain.tokens import estimate_messages
from mcp_server.client import Observation
from specialists.context import DIGEST_SHARE, FILLED, LEAST_FREED, MASKED, WHOLE, History, fit
from specialists.digest import MOST_LINES, Digest
from specialists.exchange import Exchange

LENGTHS = st.integers(0, 3000)
TURN = st.tuples(st.sampled_from(["call", "calls", "text"]), LENGTHS, st.booleans())
TURNS = st.lists(TURN, max_size=14)
ROLE, GOAL = SystemMessage(content="role " * 50), UserMessage(content="goal " * 50)
FAILING = TestOutcome(collected=2, passed=1, failed=1, failing=("t.py::bad",), vector="v")


def observed(text: str, ran_tests: bool = False) -> Observation:
    return Observation(text=text, ok=True, commit="c", changed=("a.py",), tests=FAILING if ran_tests else None)


def turn(kind: str, length: int, at: int, ran_tests: bool = False) -> Exchange:
    text = "x" * length
    arguments = json.dumps({"path": f"f{at}.py", "content": text})
    count = {"call": 1, "calls": 3, "text": 0}[kind]
    calls = tuple(ToolCall(id=f"call_{at}_{n}", name="write_file", arguments=arguments) for n in range(count))
    results: list[Message] = [ToolMessage(tool_call_id=call.id, content=text) for call in calls]
    shown = results or [UserMessage(content=text)]
    done = [(ToolCall(id="", name="write_file", arguments=arguments), observed(text, ran_tests))]
    return (
        Exchange((AssistantMessage(content=text if not calls else "", tool_calls=calls),)).and_then(*shown).done(done)
    )


def history(turns: list[tuple[str, int, bool]], *known: str) -> History:
    opening: tuple[Message, ...] = (ROLE, *(UserMessage(content=text) for text in known), GOAL)
    return History(
        opening, exchanges=tuple(turn(kind, length, at, ran) for at, (kind, length, ran) in enumerate(turns))
    )


def check_order(messages: tuple[Message, ...]) -> None:
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            assert message.tool_call_id == waiting.pop(0)
            continue
        assert not waiting
        if isinstance(message, AssistantMessage):
            waiting = [call.id for call in message.tool_calls]
            assert all(isinstance(json.loads(call.arguments), dict) for call in message.tool_calls)
    assert not waiting


@given(TURNS, st.integers(0, 9000), st.booleans())
def test_however_short_the_room_every_call_keeps_its_results_and_the_role_stays(
    turns: list[tuple[str, int, bool]], tokens: int, hard: bool
) -> None:
    fitted = fit(history(turns), tokens, hard)
    check_order(fitted.messages)
    assert fitted.messages[0] == ROLE
    assert fitted.opening[-1].role == "user"
    if turns:
        assert fitted.exchanges[-1].messages[0].role == "assistant"


@given(TURNS, st.integers(0, 9000), st.booleans())
def test_what_is_sent_is_within_the_room_where_that_is_possible_at_all(
    turns: list[tuple[str, int, bool]], tokens: int, hard: bool
) -> None:
    made = history(turns)
    fitted = fit(made, tokens, hard)
    assert estimate_messages(fitted.messages) == fitted.tokens
    assert fitted.tokens <= max(tokens, fit(made, 0, hard=True).tokens)
    if made.tokens <= tokens:
        assert fitted is made
    if estimate_messages([ROLE, GOAL]) + 300 <= tokens and all(kind != "calls" for kind, _, _ in turns):
        assert fitted.tokens <= tokens
        assert fitted.messages[: len(fitted.opening)] == (ROLE, GOAL)


@given(TURNS, st.integers(1000, 9000))
def test_whatever_is_cut_frees_a_tenth_or_leaves_room_for_more(turns: list[tuple[str, int, bool]], tokens: int) -> None:
    made = history(turns)
    fitted = fit(made, tokens)
    if fitted is not made and fitted.tokens <= tokens:
        freed = made.tokens - fitted.tokens
        assert freed >= made.tokens * LEAST_FREED or len(fitted.exchanges) <= WHOLE


def test_old_results_are_masked_before_anything_is_left_out_and_the_newest_stay_whole() -> None:
    made = history([("call", 3000, False)] * 10)
    fitted = fit(made, made.tokens - 1000)
    assert not fitted.digest
    assert fitted.exchanges[-WHOLE:] == made.exchanges[-WHOLE:]
    assert all(exchange.tokens < 300 for exchange in fitted.exchanges[:-WHOLE])
    call = fitted.messages[2]
    assert isinstance(call, AssistantMessage)
    assert json.loads(call.tool_calls[0].arguments)["path"] == "f0.py"


def test_where_masking_frees_less_than_a_tenth_the_oldest_are_left_out_for_a_digest() -> None:
    made = history([("call", 150, False)] * 60)
    fitted = fit(made, made.tokens - 100)
    assert fitted.digest.count >= 1
    assert fitted.tokens <= made.tokens * (FILLED + 1 / DIGEST_SHARE)
    assert fitted.exchanges == made.exchanges[fitted.digest.count :]
    assert fit(fitted, made.tokens - 100) is fitted


def test_masking_that_would_do_but_frees_less_than_a_tenth_is_not_enough() -> None:
    made = history([("call", 900, False), *[("call", 150, False)] * 60])
    masked = made.exchanges[0].cut(MASKED)
    assert 100 < made.exchanges[0].tokens - masked.tokens < made.tokens * LEAST_FREED
    assert fit(made, made.tokens - 100).digest.count >= 1


def test_the_tests_that_failed_stay_whatever_is_cut() -> None:
    made = history([("call", 3000, at == 0) for at in range(10)])
    for tokens in (made.tokens - 100, 9_000, 5_000, 2_000, 900):
        assert "t.py::bad" in "".join(message.content for message in fit(made, tokens).messages)
    newest = history([("call", 3000, at == 9) for at in range(10)])
    assert "t.py::bad" in "".join(message.content for message in fit(newest, 700).messages)


def test_what_is_known_of_the_project_goes_before_the_goal_does() -> None:
    made = history([], "shop " * 3000)
    fitted = fit(made, 1000)
    assert fitted.opening[-1] == GOAL
    assert len(fitted.opening[1].content) < 300


def test_when_it_must_be_cut_again_and_again_all_but_the_last_exchange_is_left_out() -> None:
    made = history([("call", 500, False)] * 20)
    fitted = fit(made, made.tokens - 1, hard=True)
    assert (len(fitted.exchanges), fitted.digest.count) == (1, 19)


def test_a_digest_tells_calls_once_how_often_they_were_made_which_files_changed_and_how_the_tests_are() -> None:
    same = [turn("call", 5, 0)] * 3
    text = Digest().plus([*same, turn("call", 5, 1, ran_tests=True)]).text(1000)
    assert "- write_file f0.py: xxxxx (3 times)" in text
    assert "- write_file f1.py: 1 of 2 tests passed, 1 failed" in text
    assert "Files changed: a.py" in text
    assert text.endswith("1 of 2 tests passed, 1 failed; failing: t.py::bad")


@given(TURNS, TURNS, st.integers(0, 3000))
def test_a_digest_is_the_same_whether_exchanges_came_at_once_or_by_and_by_and_no_longer_than_it_may(
    first: list[tuple[str, int, bool]], second: list[tuple[str, int, bool]], tokens: int
) -> None:
    one, other = history(first).exchanges, history(second).exchanges
    digest = Digest().plus([*one, *other])
    assert digest == Digest().plus(one).plus(other)
    assert len(digest.lines) <= MOST_LINES
    least = estimate_messages([UserMessage(content=digest.text(0))])
    assert estimate_messages([UserMessage(content=digest.text(tokens))]) <= max(tokens, least) + 20


def share_of_equal_prefix(room: int, steps: int, length: int) -> float:
    """Of all the tokens that are sent after the first request, how many stood in the request before, in its place."""
    kept, equal, total = history([]), 0, 0
    before: tuple[Message, ...] = kept.messages
    for at in range(steps):
        kept = fit(
            History(kept.opening, kept.digest, (*kept.exchanges, turn("call", length, at)), kept.digest_tokens), room
        )
        pairs = zip(before, kept.messages, strict=False)
        stop = next((n for n, (old, new) in enumerate(pairs) if old != new), len(before))
        equal += estimate_messages(kept.messages[:stop])
        total += kept.tokens
        before = kept.messages
    return equal / total


@pytest.mark.parametrize(("room", "share"), [(6_000, 0.6), (16_000, 0.85), (30_000, 0.9)])
def test_of_forty_steps_most_of_what_is_sent_was_sent_before_in_the_same_place(room: int, share: float) -> None:
    assert share_of_equal_prefix(room, 40, 1_500) >= share
