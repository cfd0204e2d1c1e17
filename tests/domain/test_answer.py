import pytest

from domain.answer import SIGN_OF_LIFE, Answer
from domain.chat import AssistantMessage, FinishReason, ModelReply, ModelRequest, ToolCall, Usage, UserMessage
from domain.errors import ModelProtocolError

ASKED = ModelRequest(model="m", messages=(UserMessage(content="hello"),))


def ended(answer: Answer, finish: FinishReason = FinishReason.STOP) -> ModelReply:
    answer.finish = finish
    return answer.reply()


def test_what_is_shown_on_the_way_and_the_reply_are_the_same() -> None:
    answer = Answer(ASKED)

    deltas = [answer.hear(piece) for piece in ("<thi", "nk>Hm.</think>", "", "Yes, ", "I am.")]
    reply = ended(answer)

    assert "".join(delta.text for delta in deltas) == reply.message.content == "Yes, I am."
    assert "".join(delta.reasoning for delta in deltas) == reply.reasoning == "Hm."
    assert deltas[0] == deltas[2] == SIGN_OF_LIFE


def test_text_that_could_be_half_a_tag_comes_with_the_reply() -> None:
    answer = Answer(ASKED)

    assert answer.hear("<thi") == SIGN_OF_LIFE
    assert ended(answer).message.content == "<thi"


def test_pieces_of_a_call_are_put_together_and_a_new_id_begins_a_new_call() -> None:
    answer = Answer(ASKED)
    answer.call(0, "a", "read", '{"path":')
    answer.call(0, "", "", ' "x"}')
    answer.call(0, "b", "shell", {"script": "ls"})

    assert answer.calls == 2
    assert ended(answer).message.tool_calls == (
        ToolCall(id="a", name="read", arguments='{"path": "x"}'),
        ToolCall(id="b", name="shell", arguments='{"script": "ls"}'),
    )


def test_a_call_without_an_id_gets_one_that_the_conversation_does_not_have() -> None:
    earlier = tuple(ToolCall(id=name, name="read", arguments="{}") for name in ("x", "call00002"))
    answer = Answer(ASKED.model_copy(update={"messages": (*ASKED.messages, AssistantMessage(tool_calls=earlier))}))
    answer.call(0, "", "read", "{}")
    answer.call(1, "", "read", "{}")

    assert [call.id for call in ended(answer).message.tool_calls] == ["call00003", "call00004"]


@pytest.mark.parametrize(
    ("finish", "refused", "told"),
    [
        (FinishReason.STOP, False, FinishReason.TOOL_CALLS),
        (FinishReason.LENGTH, False, FinishReason.LENGTH),
        (FinishReason.STOP, True, FinishReason.CONTENT_FILTER),
    ],
)
def test_an_answer_with_calls_did_not_just_stop(finish: FinishReason, refused: bool, told: FinishReason) -> None:
    answer = Answer(ASKED)
    answer.call(0, "a", "read", "{}")
    answer.refused = refused

    assert ended(answer, finish).finish_reason is told


def test_a_usage_that_was_told_is_taken_and_one_that_was_not_is_estimated() -> None:
    told, silent = Answer(ASKED), Answer(ASKED)
    told.usage = Usage(input_tokens=3, output_tokens=2)

    assert ended(told).usage == Usage(input_tokens=3, output_tokens=2)
    assert ended(silent).usage.estimated


def test_an_answer_that_was_never_said_to_be_at_its_end_is_none_but_its_usage_is_told() -> None:
    answer = Answer(ASKED)
    answer.hear("half of")

    with pytest.raises(ModelProtocolError, match="before it was complete") as silent:
        answer.reply()
    answer.usage = Usage(input_tokens=3, output_tokens=2)
    with pytest.raises(ModelProtocolError) as told:
        answer.reply()

    assert (silent.value.usage, told.value.usage) == (None, answer.usage)
