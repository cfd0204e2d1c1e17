"""What is special about OpenAI, and about the many servers that speak its wire format with manners of their own."""

from typing import get_args

import pytest
from openai.types.chat.chat_completion import Choice
from openai.types.chat.chat_completion_chunk import Choice as ChunkChoice

from domain import errors
from domain.chat import AssistantMessage, EmbeddingRequest, FinishReason, ToolCall, ToolMessage, ToolSchema, Usage
from domain.errors import SoundstageError
from gateway.adapters.openai_adapter import OFFICIAL_URL, limit_name
from gateway.adapters.openai_wire import FINISH_REASONS
from tests.gateway.adapters.contract import ASKED, OPENAI, Way, answer, both, pieces, refusal, talking
from tests.wire.dialect import event
from tests.wire.replies import Json, Raw, Reply, Say


def chunk(delta: Json | None, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


async def test_a_request_is_one_that_openai_documents() -> None:
    call = ToolCall(id="c1", name="shell", arguments="{not json")
    parameters = {"type": "object", "properties": {"script": {"type": "string"}}}
    request = ASKED.model_copy(
        update={
            "messages": (
                *ASKED.messages,
                AssistantMessage(content="", tool_calls=(call,)),
                ToolMessage(tool_call_id="c1", content="no"),
            ),
            "tools": (ToolSchema(name="shell", description="runs", parameters=parameters),),
            "json_schema": {"type": "object"},
            "max_output_tokens": 99,
            "temperature": 0.5,
        }
    )
    async with talking(OPENAI, [Say("ok"), Say("ok")]) as (provider, server):
        await provider.complete(request)
        await pieces(provider, request)
        whole, streamed = server.chats

    function = {"name": "shell", "arguments": "{not json"}
    assert whole == {
        "model": "test-model",
        "messages": [
            {"role": "user", "content": "hello"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c1", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "no"},
        ],
        "tools": [{"type": "function", "function": {"name": "shell", "description": "runs", "parameters": parameters}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
        "max_tokens": 99,
        "temperature": 0.5,
    }
    assert streamed == {**whole, "stream": True, "stream_options": {"include_usage": True}}


def test_openai_itself_takes_a_limit_of_another_name_than_other_servers() -> None:
    assert limit_name(OFFICIAL_URL) == limit_name(f"{OFFICIAL_URL}/") == "max_completion_tokens"
    assert limit_name("http://127.0.0.1:8000/v1") == "max_tokens"


@pytest.mark.parametrize("choice", [Choice, ChunkChoice])
def test_every_finish_reason_that_the_sdk_knows_has_a_meaning(choice: type[Choice | ChunkChoice]) -> None:
    annotation = choice.model_fields["finish_reason"].annotation
    words = {word for part in (annotation, *get_args(annotation)) for word in get_args(part) if isinstance(word, str)}

    assert words
    assert words <= set(FINISH_REASONS)


def piece(arguments: str, name: str | None = None, **place: object) -> Json:
    return {**place, "function": {"arguments": arguments} | ({"name": name} if name else {})}


@pytest.mark.parametrize(
    "told",
    [
        [piece("1", "a", index=0, id="x"), piece("2", "b", index=0, id="y")],
        [piece("1", "a", id="x"), piece("2", "b", id="y")],
        [piece("1", "a", index=0), piece("2", "b", index=1)],
        [piece("", "a", index=5, id="x"), piece("1", index=5, id="x"), piece("2", "b", index=7, id="y")],
        [piece("", "a", index=0, id="x"), piece("1", index=0), piece("", "b", index=0, id="y"), piece("2", index=0)],
    ],
    ids=["index always 0", "no index", "no id", "id repeated", "index always 0, in pieces"],
)
async def test_tool_calls_of_servers_with_manners_of_their_own_are_told_apart(told: list[Json]) -> None:
    chunks = [chunk({"tool_calls": [each]}) for each in told]

    reply = await answer(OPENAI, Way.PIECES, Raw(b"".join([*chunks, chunk({}, "stop"), b"data: [DONE]\n\n"])))

    assert [(call.name, call.arguments) for call in reply.message.tool_calls] == [("a", "1"), ("b", "2")]
    assert len({call.id for call in reply.message.tool_calls}) == 2
    assert reply.finish_reason is FinishReason.TOOL_CALLS


@both
@pytest.mark.parametrize(("arguments", "told"), [({"a": 1}, '{"a": 1}'), ({}, "{}"), (None, "")])
async def test_arguments_that_come_as_an_object_become_their_json(way: Way, arguments: Json | None, told: str) -> None:
    part = {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": arguments}}]}
    choice = {"message": part, "delta": part, "finish_reason": "tool_calls"}
    body = event({"choices": [choice]})

    reply = await answer(OPENAI, way, Raw(body if way is Way.PIECES else body.removeprefix(b"data: ")))

    assert reply.message.tool_calls[0].arguments == told


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_reasoning_is_known_by_each_of_its_names(name: str) -> None:
    body = chunk({name: "I think "}) + chunk({name: "hard."}) + chunk({"content": "42"}) + chunk({}, "stop")
    async with talking(OPENAI, [Raw(body)]) as (provider, _):
        deltas, reply = await pieces(provider)

    assert (reply.message.content, reply.reasoning) == ("42", "I think hard.")
    assert "".join(delta.reasoning for delta in deltas) == "I think hard."


async def test_a_refusal_is_the_text_of_an_answer_that_was_filtered() -> None:
    body = chunk({"refusal": "I am "}) + chunk({"refusal": "sorry."}) + chunk({"refusal": None}, "stop")

    reply = await answer(OPENAI, Way.PIECES, Raw(body))

    assert (reply.message.content, reply.finish_reason) == ("I am sorry.", FinishReason.CONTENT_FILTER)


@both
@pytest.mark.parametrize("details", [{}, {"prompt_tokens_details": None}, {"prompt_tokens_details": {}}], ids=str)
async def test_details_of_the_usage_may_be_left_out(way: Way, details: Json) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 50, **details}

    assert (await answer(OPENAI, way, Say("ok", usage=usage))).usage == Usage(input_tokens=100, output_tokens=50)


@both
@pytest.mark.parametrize("usage", [{}, {"total_tokens": None}])
async def test_a_usage_without_numbers_is_none(way: Way, usage: Json) -> None:
    assert (await answer(OPENAI, way, Say("ok", usage=usage))).usage.estimated


FAULTS: dict[str, tuple[Reply, type[SoundstageError]]] = {
    "error in the stream": (Raw(event({"error": {"message": "out of memory"}})), errors.ModelOverloaded),
    "error that is a word": (Raw(event({"error": "out of memory"})), errors.ModelOverloaded),
    "a chunk without a delta": (Raw(chunk(None, "stop")), errors.ModelProtocolError),
    "a delta that is a word": (Raw(event({"choices": [{"index": 0, "delta": "x"}]})), errors.ModelProtocolError),
    "text that is a number": (Raw(chunk({"content": 3}, "stop")), errors.ModelProtocolError),
    "choices that are none": (Raw(event({"choices": 3})), errors.ModelProtocolError),
    "usage that is a word": (Raw(event({"usage": "much", "choices": []})), errors.ModelProtocolError),
    "usage that is no number": (Say("x", usage={"prompt_tokens": "many"}), errors.ModelProtocolError),
    "no events": (Raw(b"data: [DONE]\n\n"), errors.ModelProtocolError),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_in_a_stream_is_an_error_of_ours(fault: str) -> None:
    reply, expected = FAULTS[fault]

    assert type(await refusal(OPENAI, Way.PIECES, reply)) is expected


async def test_a_listing_that_is_none_says_to_check_the_url() -> None:
    async with talking(OPENAI, (), models=Raw(b"Ollama is running", "text/plain")) as (provider, _):
        with pytest.raises(errors.ModelProtocolError, match="OPENAI_BASE_URL"):
            await provider.models()


async def test_vectors_are_put_in_the_order_of_their_texts_and_a_usage_that_is_missing_is_estimated() -> None:
    vectors = Raw(b'{"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]}')
    async with talking(OPENAI, [vectors]) as (provider, _):
        reply = await provider.embed(EmbeddingRequest(model="m", texts=("a" * 30, "b")))

    assert reply.vectors == ((1.0,), (2.0,))
    assert reply.usage.estimated
    assert reply.usage.input_tokens >= 31 // 4
