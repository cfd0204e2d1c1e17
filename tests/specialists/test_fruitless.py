"""Replies in which there is nothing to be done: each is told apart, answered, and bounded."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import AssistantMessage, Delta, FinishReason, ModelReply, ModelRequest, Usage
from domain.events import ReplyCorrected, ToolCalled
from domain.replies import ReplyProblem
from domain.subtask_result import Stopped, StopReason, Submitted
from gateway.scripted import Line, ScriptedProvider
from specialists.reading.fruitless import LEAST_REPEATED, LONGEST_UNIT, goes_on_and_on, why_fruitless
from specialists.role_files import role
from tests.specialists.desk import TEXT_MODE, call, open_desk, script

SUBMIT = call("submit", summary="all done")
REFUSALS = (
    "I'm sorry, but I can't assist with that request.",
    "I cannot help with that.",
    "I’m unable to do this.",
    "As a language model I must decline.",
)


class Says(ScriptedProvider):
    """A model that says the same each time, as its servers do in the worst case."""

    def __init__(self, text: str = "", reasoning: str = "", finish: FinishReason = FinishReason.STOP) -> None:
        super().__init__(())
        message = AssistantMessage(content=text)
        self._reply = ModelReply(message=message, usage=Usage(), finish_reason=finish, reasoning=reasoning)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        self.requests.append(request)
        yield Delta(text=self._reply.message.content)
        yield self._reply


@pytest.mark.parametrize(
    ("model", "problem", "reason", "replies"),
    [
        (Says(), ReplyProblem.EMPTY, StopReason.MALFORMED, 6),
        (Says("  \n"), ReplyProblem.EMPTY, StopReason.MALFORMED, 6),
        (Says(reasoning="Hm, hm."), ReplyProblem.ONLY_THOUGHT, StopReason.MALFORMED, 6),
        (Says("<think>Hm.</think>"), ReplyProblem.ONLY_THOUGHT, StopReason.MALFORMED, 6),
        (Says("the " * 5_000, finish=FinishReason.LENGTH), ReplyProblem.REPETITION, StopReason.MALFORMED, 6),
        (Says("No " * 10 + "\n" * 600), ReplyProblem.REPETITION, StopReason.MALFORMED, 6),
        (Says(REFUSALS[0]), ReplyProblem.REFUSED, StopReason.MODEL_REFUSED, 3),
        (Says(finish=FinishReason.CONTENT_FILTER), ReplyProblem.REFUSED, StopReason.MODEL_REFUSED, 3),
    ],
)
async def test_a_model_that_does_nothing_is_told_what_is_wrong_and_stopped_with_a_reason(
    model: Says, problem: ReplyProblem, reason: StopReason, replies: int, tmp_path: Path
) -> None:
    async with open_desk(tmp_path, {"a.txt": "1"}) as desk:
        result = await desk.work(model)
        assert isinstance(result, Stopped)
        assert (result.reason, len(model.requests)) == (reason, replies)
        assert result.commit == desk.place.client.commit
        told = await desk.facts(ReplyCorrected)
        assert {found for fact in told for found in fact.problems} == {problem}
        assert max(len(message.content) for message in model.requests[-1].messages) < 3_000


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_known_by_its_words(text: str) -> None:
    reply = ModelReply(message=AssistantMessage(content=text), usage=Usage(), finish_reason=FinishReason.STOP)
    assert why_fruitless(reply, text, ReplyProblem.NO_ACTION) is ReplyProblem.REFUSED


@pytest.mark.parametrize(
    "text", ["I will write the file now.", "The test cannot pass yet.", "I can do that.", "I cannot find calc.py."]
)
def test_plain_talk_is_no_refusal(text: str) -> None:
    reply = ModelReply(message=AssistantMessage(content=text), usage=Usage(), finish_reason=FinishReason.STOP)
    assert why_fruitless(reply, text, ReplyProblem.NO_ACTION) is ReplyProblem.NO_ACTION


@given(st.text(max_size=300), st.text(min_size=1, max_size=LONGEST_UNIT))
def test_whatever_ends_with_the_same_again_and_again_is_found(before: str, unit: str) -> None:
    times = -(-LEAST_REPEATED // len(unit)) + 1
    assert goes_on_and_on(before + unit * times)


@given(st.lists(st.integers(0, 10**6), min_size=200, max_size=300, unique=True))
def test_a_long_list_of_different_things_is_no_repetition(numbers: list[int]) -> None:
    assert not goes_on_and_on("\n".join(map(str, numbers)))


async def test_how_many_may_be_malformed_is_the_role_s_data(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        strict = role("code").model_copy(update={"max_malformed": 1})
        model = script("Hm.", text=("Well.",))
        await desk.work(model, playing=strict)
        assert [TEXT_MODE in request.messages[0].content for request in model.requests] == [False, True]


async def test_of_a_reply_with_endless_calls_the_first_are_made_and_the_others_are_answered(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        append = call("shell", command="echo x >> log").calls
        model = script(Line(calls=append * 40), SUBMIT)
        assert isinstance(await desk.work(model), Submitted)
        assert (await desk.place.branch())["log"].content == b"x\n" * 32
        assert len(await desk.facts(ToolCalled)) == 33
        assert "may make 32 calls" in model.requests[1].messages[-1].content
