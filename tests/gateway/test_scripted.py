import pytest

from domain.chat import AssistantMessage, Delta, FinishReason, Message, ModelReply, ModelRequest, UserMessage
from domain.errors import ModelOverloaded, ModelRequestRejected
from gateway.scripted import Line, Scene, ScriptedProvider

SCENES = (
    Scene(when=("plan", "fibonacci"), lines=(Line(text="a plan"),)),
    Scene(when=("fibonacci",), lines=(Line(text="one", calls=(("write", "{}"), ("run", "{"))), Line(text="two"))),
)


async def say(model: ScriptedProvider, *said: str) -> ModelReply:
    """The model's reply after a conversation in which it and the user took turns."""
    messages: list[Message] = []
    for number, text in enumerate(said):
        messages.append(AssistantMessage(content=text) if number % 2 else UserMessage(content=text))
    *deltas, reply = [piece async for piece in model.stream(ModelRequest(model="m", messages=tuple(messages)))]
    assert isinstance(reply, ModelReply)
    assert "".join(piece.text for piece in deltas if isinstance(piece, Delta)) == reply.message.content
    return reply


async def test_the_first_scene_whose_words_all_occur_is_played() -> None:
    model = ScriptedProvider(SCENES)

    assert (await say(model, "plan fibonacci")).message.content == "a plan"
    assert (await say(model, "write", "no", "fibonacci")).message.content == "two"


async def test_the_line_is_the_one_for_the_replies_so_far_and_the_last_is_repeated() -> None:
    model = ScriptedProvider(SCENES)
    said = ["fibonacci", "x", "go on", "y", "go on"]

    lines = [(await say(model, *said[:count])).message.content for count in (1, 3, 5, 1)]

    assert lines == ["one", "two", "two", "one"]


async def test_tools_are_called_with_the_script_s_arguments_and_ids_of_their_own() -> None:
    reply = await say(ScriptedProvider(SCENES), "fibonacci")

    assert [(call.name, call.arguments) for call in reply.message.tool_calls] == [("write", "{}"), ("run", "{")]
    assert len({call.id for call in reply.message.tool_calls}) == 2
    assert reply.finish_reason is FinishReason.TOOL_CALLS
    assert reply.usage.estimated
    assert reply.usage.output_tokens > 0


async def test_what_the_script_does_not_know_is_refused_with_what_to_do() -> None:
    with pytest.raises(ModelRequestRejected, match="OPENAI_API_KEY"):
        await say(ScriptedProvider(SCENES), "a chess engine")


async def test_faults_come_in_their_order_before_anything_is_played() -> None:
    model = ScriptedProvider(SCENES, faults=[None, ModelOverloaded()])

    assert (await say(model, "fibonacci")).message.content == "one"
    with pytest.raises(ModelOverloaded):
        await say(model, "fibonacci")
    assert (await say(model, "fibonacci")).message.content == "one"
    assert len(model.requests) == 3
