import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import SecretStr

from domain import errors
from domain.chat import (
    AssistantMessage,
    FinishReason,
    ModelReply,
    ModelRequest,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSchema,
    Usage,
    UserMessage,
)
from domain.errors import SoundstageError
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Delta, Endpoint
from gateway.deadlines import Deadlines, within
from tests.wire.dialect import event
from tests.wire.openai_dialect import OpenAI, OpenAIServer
from tests.wire.replies import Break, Raw, Refuse, Reply, Say, Trouble
from tests.wire.server import refusing_url

KEY = "sk-proj-very-secret-0123456789"
ASKED = ModelRequest(model="test-model", messages=(UserMessage(content="hello"),))
EXACT = Usage(input_tokens=11, output_tokens=7)


@contextlib.asynccontextmanager
async def talking(replies: Sequence[Reply], read_s: float = 5.0) -> AsyncIterator[tuple[OpenAIProvider, OpenAIServer]]:
    async with OpenAIServer(replies) as server:
        model = OpenAIProvider(Endpoint(name="openai", base_url=server.url, api_key=SecretStr(KEY), read_s=read_s))
        try:
            yield model, server
        finally:
            await model.close()


async def pieces(model: OpenAIProvider, request: ModelRequest = ASKED) -> list[Delta | ModelReply]:
    async with asyncio.timeout(20):
        return [piece async for piece in model.stream(request)]


async def answer(reply: Reply, request: ModelRequest = ASKED) -> ModelReply:
    async with talking([reply]) as (model, _):
        last = (await pieces(model, request))[-1]
    assert isinstance(last, ModelReply)
    return last


async def refusal(reply: Reply, read_s: float = 5.0) -> SoundstageError:
    async with talking([reply], read_s) as (model, server):
        with pytest.raises(SoundstageError) as raised:
            await pieces(model)
        assert len(server.requests) == 1, "the adapter sends once; retrying is the gateway's work"
    return raised.value


async def test_an_answer_comes_in_pieces_and_then_whole_with_its_usage() -> None:
    async with talking([Say("How are you today?", usage={"prompt_tokens": 11, "completion_tokens": 7})]) as (model, _):
        *deltas, reply = await pieces(model)

    shown = [piece.text for piece in deltas if isinstance(piece, Delta)]
    assert len([text for text in shown if text]) > 1
    assert "".join(shown) == "How are you today?"
    assert reply == ModelReply(
        message=AssistantMessage(content="How are you today?"), usage=EXACT, finish_reason=FinishReason.STOP
    )


async def test_a_conversation_with_tools_and_a_schema_is_one_that_openai_accepts() -> None:
    call = ToolCall(id="c1", name="shell", arguments="{not json")
    parameters = {"type": "object", "properties": {"script": {"type": "string"}}}
    request = ModelRequest(
        model="test-model",
        messages=(
            SystemMessage(content="be good"),
            UserMessage(content="h\u00e9llo \u6f22"),
            AssistantMessage(content="", tool_calls=(call,)),
            ToolMessage(tool_call_id="c1", content="no"),
            AssistantMessage(content="sorry"),
            UserMessage(content="again"),
        ),
        tools=(ToolSchema(name="shell", description="runs", parameters=parameters),),
        json_schema={"type": "object"},
        max_output_tokens=99,
        temperature=0.5,
    )
    async with talking([Say("ok")]) as (model, server):
        await pieces(model, request)
        (body,) = server.chats
        (sent,) = server.requests

    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert body["messages"][1:4] == [
        {"role": "user", "content": "h\u00e9llo \u6f22"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "shell", "arguments": "{not json"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "no"},
    ]
    assert body["tools"][0]["function"]["parameters"] == parameters
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (body["max_tokens"], body["temperature"]) == (99, 0.5)
    assert body["stream_options"] == {"include_usage": True}


async def test_tool_calls_are_put_together_from_their_pieces() -> None:
    calls = (("shell", '{"script": "make test && echo done"}'), ("read", '{"path": "a.py"}'))

    reply = await answer(Say("I look.", calls=calls))

    assert reply.message.content == "I look."
    assert [(call.name, call.arguments) for call in reply.message.tool_calls] == list(calls)
    assert len({call.id for call in reply.message.tool_calls}) == 2
    assert reply.finish_reason is FinishReason.TOOL_CALLS


async def test_arguments_that_are_no_json_are_handed_on_as_they_are() -> None:
    reply = await answer(Say(calls=(("shell", '{"script": "unterminated'),)))

    assert reply.message.tool_calls[0].arguments == '{"script": "unterminated'


def piece(arguments: str, name: str | None = None, **place: object) -> dict[str, object]:
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
async def test_tool_calls_of_servers_with_manners_of_their_own_are_told_apart(told: list[dict[str, object]]) -> None:
    chunks = [chunk({"tool_calls": [each]}) for each in told]

    reply = await answer(Raw(b"".join([*chunks, chunk({}, "tool_calls"), b"data: [DONE]\n\n"])))

    assert [(call.name, call.arguments) for call in reply.message.tool_calls] == [("a", "1"), ("b", "2")]
    assert len({call.id for call in reply.message.tool_calls}) == 2


def chunk(delta: dict[str, object] | None, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_reasoning_is_kept_apart_from_the_answer(name: str) -> None:
    body = chunk({name: "I think "}) + chunk({name: "hard."}) + chunk({"content": "42"}) + chunk({}, "stop")
    async with talking([Raw(body)]) as (model, _):
        *deltas, reply = await pieces(model)

    assert isinstance(reply, ModelReply)
    assert (reply.message.content, reply.reasoning) == ("42", "I think hard.")
    assert "".join(piece.reasoning for piece in deltas if isinstance(piece, Delta)) == "I think hard."


async def test_details_of_the_usage_are_taken_over_where_they_are_told() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 80, "audio_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    exact = Usage(input_tokens=100, output_tokens=50, cached_tokens=80, reasoning_tokens=30)

    assert (await answer(Say("ok", usage=usage))).usage == exact
    assert (await answer(Say("ok", usage={**usage, "prompt_tokens_details": None}))).usage.cached_tokens == 0


async def test_without_a_usage_chunk_the_usage_is_an_estimate_that_says_so() -> None:
    short, long = await answer(Say("x", usage=None)), await answer(Say("x" * 900, reasoning="y" * 900, usage=None))

    assert short.usage.estimated
    assert short.usage.input_tokens > 0
    assert long.usage.output_tokens >= 1800 // 4 > short.usage.output_tokens > 0


async def test_fields_that_nobody_knows_do_no_harm() -> None:
    reply = await answer(Say("fine", extra={"annotations": [], "provider_secret": {"a": 1}, "refusal": None}))

    assert (reply.message.content, reply.usage) == ("fine", EXACT)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("function_call", FinishReason.TOOL_CALLS),
        ("eos_token", FinishReason.STOP),
    ],
)
async def test_why_the_model_stopped_is_told_in_our_words(told: str, meant: FinishReason) -> None:
    assert (await answer(Say("x", finish=told))).finish_reason is meant


QUOTA = "You exceeded your current quota, please check your plan and billing details."
FAULTS: dict[str, tuple[Reply, type[SoundstageError]]] = {
    "401": (Refuse(401, "Incorrect API key provided", "invalid_api_key"), errors.ModelAuthenticationFailed),
    "403": (Refuse(403, "Country not supported"), errors.ModelAuthenticationFailed),
    "404": (Refuse(404, "The model does not exist", "model_not_found"), errors.UnknownModel),
    "400 context": (Refuse(400, "Too long.", "context_length_exceeded"), errors.ContextTooLong),
    "400 other": (Refuse(400, "Invalid value: 'temperature'"), errors.ModelRequestRejected),
    "429": (Refuse(429, "Rate limit reached", "rate_limit_exceeded"), errors.ModelOverloaded),
    "429 quota": (Refuse(429, QUOTA, "insufficient_quota"), errors.ModelUnavailable),
    "500": (Refuse(500, "The server had an error"), errors.ModelOverloaded),
    "529": (Refuse(529, "Overloaded"), errors.ModelOverloaded),
    "502 in html": (Refuse(502, body=b"<html>Bad gateway</html>"), errors.ModelOverloaded),
    "error in the stream": (Raw(event({"error": {"message": "out of memory"}})), errors.ModelOverloaded),
    "context in the stream": (Raw(event({"error": {"message": "context size exceeded"}})), errors.ContextTooLong),
    "reset before headers": (Break(Trouble.RESET), errors.ModelConnectionFailed),
    "reset in the middle": (Break(Trouble.RESET, after=3), errors.ModelConnectionFailed),
    "cut in the middle": (Break(Trouble.CUT, after=3), errors.ModelConnectionFailed),
    "no finish reason": (Say("never ending", finish=None), errors.ModelProtocolError),
    "no events": (Raw(b""), errors.ModelProtocolError),
    "a web page": (Raw(b"<html>It works!</html>", "text/html"), errors.ModelProtocolError),
    "a chunk that is no json": (Raw(b"data: {oops\n\n"), errors.ModelProtocolError),
    "a chunk that is no object": (Raw(event(["x"])), errors.ModelProtocolError),
    "a chunk that is a word": (Raw(event("x")), errors.ModelProtocolError),
    "a chunk without a delta": (Raw(chunk(None, "stop")), errors.ModelProtocolError),
    "a delta that is a word": (Raw(event({"choices": [{"index": 0, "delta": "x"}]})), errors.ModelProtocolError),
    "usage that is no number": (Say("x", usage={"prompt_tokens": "many"}), errors.ModelProtocolError),
    "usage below zero": (Say("x", usage={"prompt_tokens": -1, "completion_tokens": 1}), errors.ModelProtocolError),
    "text that is no utf-8": (Raw(b'data: {"choices": "\xff"}\n\n'), errors.ModelProtocolError),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_server_is_an_error_of_ours(fault: str) -> None:
    reply, expected = FAULTS[fault]

    assert type(await refusal(reply)) is expected


ECHO = f"Authorization: Bearer {KEY} is not welcome"


@pytest.mark.parametrize(
    "reply",
    [
        *(Refuse(status, ECHO) for status in (400, 401, 403, 404, 429, 500)),
        Refuse(400, ECHO, "context_length_exceeded"),
        Refuse(400, body=f"<html>{ECHO}</html>".encode()),
        Raw(event({"error": {"message": ECHO}})),
    ],
    ids=["400", "401", "403", "404", "429", "500", "context", "no json", "in the stream"],
)
async def test_a_server_that_repeats_the_key_does_not_get_it_into_our_message(reply: Reply) -> None:
    assert KEY not in str(await refusal(reply))


async def test_half_a_surrogate_pair_does_not_spoil_the_reply_for_who_stores_it() -> None:
    reply = await answer(Raw(chunk({"content": "smile \ud83d"}) + chunk({}, "stop")))

    assert "smile" in reply.message.content
    assert ModelReply.model_validate_json(reply.model_dump_json()) == reply


@pytest.mark.parametrize(("headers", "seconds"), [({}, None), ({"Retry-After": "7"}, 7.0)])
async def test_an_overload_says_when_to_come_back_if_the_server_does(
    headers: dict[str, str], seconds: float | None
) -> None:
    error = await refusal(Refuse(429, headers=headers))

    assert isinstance(error, errors.ModelOverloaded)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize("after", [None, 0, 3], ids=["before headers", "after headers", "in the middle"])
async def test_a_server_that_hangs_is_left_after_the_read_timeout(after: int | None) -> None:
    assert type(await refusal(Break(Trouble.HANG, after=after), read_s=0.2)) is errors.ModelTimeout


async def test_a_server_that_only_drips_comments_is_left_at_the_deadline() -> None:
    async with talking([Break(Trouble.DRIP, after=3)]) as (model, _):
        with pytest.raises(errors.ModelTimeout):
            async for _piece in within(Deadlines(between_s=0.2), model.stream(ASKED)):
                pass


async def test_a_server_that_is_not_there_is_named() -> None:
    url = refusing_url(OpenAI())
    model = OpenAIProvider(Endpoint(name="openai", base_url=url, api_key=SecretStr(KEY)))

    with pytest.raises(errors.ModelConnectionFailed, match=url):
        await pieces(model)
    await model.close()


async def test_a_caller_that_stops_listening_ends_the_connection() -> None:
    async with talking([Break(Trouble.HANG, after=3)]) as (model, server):
        stream = model.stream(ASKED)
        assert isinstance(await anext(stream), Delta)
        await stream.aclose()
        async with asyncio.timeout(10):
            await server.quiet()


async def test_the_models_of_a_server_are_listed() -> None:
    async with OpenAIServer(models=["b", "a"]) as server:
        model = OpenAIProvider(Endpoint(name="openai", base_url=server.url))
        assert await model.models() == ["b", "a"]
        await model.close()
        await model.close()


@pytest.mark.parametrize(
    "listing",
    [
        Raw(b"Ollama is running", "text/plain"),
        Raw(b"<html>It works!</html>", "text/html"),
        Raw(b"[]", "application/json"),
        Raw(b"{oops", "application/json"),
        Raw(b'{"data": [{"name": "no id"}]}', "application/json"),
        Raw(b'{"data": null}', "application/json"),
    ],
    ids=["text", "html", "list", "no json", "no id", "null"],
)
async def test_a_listing_that_is_none_says_to_check_the_url(listing: Raw) -> None:
    async with OpenAIServer(models=listing) as server:
        model = OpenAIProvider(Endpoint(name="openai", base_url=server.url))
        with pytest.raises(errors.ModelProtocolError, match="OPENAI_BASE_URL"):
            await model.models()
        await model.close()
