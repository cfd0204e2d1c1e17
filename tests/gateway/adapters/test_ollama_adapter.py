import asyncio
import base64
import json
import struct
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from domain import errors
from domain.chat import (
    AssistantMessage,
    EmbeddingRequest,
    Image,
    ModelRequest,
    ToolCall,
    ToolMessage,
    ToolSchema,
    Usage,
    UserMessage,
)
from gateway.adapters.ollama_adapter import LOCAL, OllamaProvider, chat_body
from gateway.base import Endpoint
from gateway.sanitiser import RULES
from tests.gateway.adapters.contract import ASKED, OLLAMA, Way, answer, asked, both, talking
from tests.wire.ollama_dialect import Ollama
from tests.wire.replies import Embed, Json, Raw, Refuse, Say
from tests.wire.server import WireServer


async def sent(request: ModelRequest, context_tokens: int | None = None) -> Json:
    subject = replace(OLLAMA, make=partial(OllamaProvider, context_tokens=context_tokens))
    async with talking(subject, [Say("ok")]) as (provider, server):
        await provider.complete(request)
        (body,) = server.chats
    return body


def line(**told: object) -> bytes:
    return json.dumps({"model": "m", "message": {"role": "assistant", "content": ""}, **told}).encode() + b"\n"


def test_ollama_is_local_by_default_and_as_far_as_the_endpoint_says() -> None:
    assert OllamaProvider().local
    assert OllamaProvider(LOCAL).name == "ollama"
    assert not OllamaProvider(Endpoint(name="ollama-cloud", base_url="https://ollama.example")).local


async def test_the_most_tokens_the_context_and_the_temperature_are_options() -> None:
    asked = ASKED.model_copy(update={"max_output_tokens": 99})
    assert (await sent(asked))["options"] == {"num_predict": 99}
    warm = asked.model_copy(update={"temperature": 0.5})
    assert (await sent(warm, 8192))["options"] == {"num_predict": 99, "num_ctx": 8192, "temperature": 0.5}


async def test_a_schema_is_sent_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}

    assert (await sent(ASKED.model_copy(update={"json_schema": schema})))["format"] == schema


async def test_the_schema_of_a_tool_is_sent_whole() -> None:
    options = {"type": "object", "properties": {"depth": {"type": "integer", "minimum": 1}}}
    properties = {"end": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}, "options": options}
    parameters: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    tools = (ToolSchema(name="read", description="reads", parameters=parameters),)

    body = await sent(ASKED.model_copy(update={"tools": tools}))

    assert body["tools"][0]["function"]["parameters"] == parameters


async def test_an_answer_of_a_tool_names_the_tool_and_calls_carry_objects() -> None:
    calls = (
        ToolCall(id="a", name="read", arguments='{"path": "x"}'),
        ToolCall(id="b", name="shell", arguments="{oops"),
        ToolCall(id="c", name="shell", arguments='["ls"]'),
        ToolCall(id="d", name="shell", arguments='{"n": NaN}'),
    )
    answers = tuple(ToolMessage(tool_call_id=call.id, content="ok") for call in reversed(calls))
    history = (UserMessage(content="go"), AssistantMessage(content="I look.", tool_calls=calls), *answers)

    messages = (await sent(ASKED.model_copy(update={"messages": history})))["messages"]

    assert [call["function"]["arguments"] for call in messages[1]["tool_calls"]] == [
        {"path": "x"},
        {"malformed": "{oops"},
        {"malformed": '["ls"]'},
        {"malformed": '{"n": NaN}'},
    ]
    assert [message["tool_name"] for message in messages[2:]] == ["shell", "shell", "shell", "read"]


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_arguments_of_any_kind_become_an_object_that_can_be_sent(arguments: str) -> None:
    call = ToolCall(id="a", name="f", arguments=arguments)
    request = ModelRequest(model="m", messages=(AssistantMessage(tool_calls=(call,)),))

    (message,) = chat_body(request, None, stream=False)["messages"]

    assert isinstance(message["tool_calls"][0]["function"]["arguments"], dict)
    json.dumps(message, allow_nan=False)


async def test_an_image_is_sent_and_no_file_is_read_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = base64.b64encode(b"picture").decode()
    monkeypatch.chdir(tmp_path)
    await asyncio.to_thread(Path(data).write_text, "a secret of the house")
    shown = UserMessage(content="look", images=(Image(media_type="image/png", data=data),))

    body = await sent(ASKED.model_copy(update={"messages": (shown,)}))

    assert body["messages"][0]["images"] == [data]


@both
async def test_each_call_gets_an_id_that_no_other_call_of_the_conversation_has(way: Way) -> None:
    said = Say(calls=(("read", '{"path": "a"}'), ("read", '{"path": "b"}')))
    async with talking(OLLAMA, [said, said, said]) as (provider, _):
        request, seen = ASKED, list[ToolCall]()
        for _round in range(3):
            reply = await asked(provider, way, request)
            seen += reply.message.tool_calls
            # The beginning of a long conversation may be left out at any time.
            request = ASKED.model_copy(update={"messages": (reply.message,)})
            assert {call.id for call in reply.message.tool_calls}.isdisjoint(call.id for call in seen[-4:-2])

    assert all(RULES["mistral"].call_id.fullmatch(call.id) for call in seen)


async def test_tokens_of_a_prompt_that_ollama_does_not_count_are_an_estimate() -> None:
    counted = line(message={"role": "assistant", "content": "x"}) + line(done=True, done_reason="stop", eval_count=7)

    assert (await answer(OLLAMA, Way.PIECES, Raw(counted))).usage.estimated


async def test_an_error_in_the_middle_is_told_in_its_words() -> None:
    with pytest.raises(errors.ModelOverloaded, match="runner terminated"):
        await answer(OLLAMA, Way.PIECES, Raw(line() + b'{"error": "llama runner terminated"}\n'))


@both
async def test_a_model_that_is_not_there_can_be_pulled(way: Way) -> None:
    with pytest.raises(errors.UnknownModel, match="ollama pull test-model"):
        await answer(OLLAMA, way, Refuse(404, "model 'test-model' not found"))


@both
async def test_a_model_without_tools_refuses_the_request(way: Way) -> None:
    with pytest.raises(errors.ModelRequestRejected, match="does not support tools"):
        await answer(OLLAMA, way, Refuse(400, "registry.ollama.ai/library/gemma3:4b does not support tools"))


async def test_the_key_of_the_environment_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "somebody-elses")
    async with WireServer(Ollama(), [Say("a"), Say("b")]) as server:
        for key in ("none", "ours"):
            provider = OllamaProvider(Endpoint(name="ollama", base_url=f"{server.url}/v1", api_key=SecretStr(key)))
            await provider.complete(ASKED)
            await provider.close()

    assert [request.headers["authorization"] for request in server.requests] == ["Bearer none", "Bearer ours"]


async def test_a_text_too_long_to_be_embedded_is_not_cut() -> None:
    request = EmbeddingRequest(model="m", texts=("a", "b"))
    refused = Refuse(400, "the input length exceeds the context length")
    async with talking(OLLAMA, [refused, Embed([[0.5]])]) as (provider, server):
        with pytest.raises(errors.ContextTooLong):
            await provider.embed(request)
        assert server.chats[0]["truncate"] is False
        with pytest.raises(errors.ModelProtocolError):
            await provider.embed(request)


async def test_vectors_come_with_the_tokens_of_their_texts() -> None:
    vector = struct.unpack("<2f", struct.pack("<2f", 0.25, -1.5))
    async with talking(OLLAMA, [Embed([vector], tokens=3)]) as (provider, _):
        found = await provider.embed(EmbeddingRequest(model="m", texts=("a",)))

    assert (found.vectors, found.usage) == ((vector,), Usage(input_tokens=3))


@pytest.mark.parametrize("body", [b"[]", b'"oops"', b"7", b"<html>"])
async def test_an_error_of_any_form_is_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(errors.SoundstageError):
        await answer(OLLAMA, Way.WHOLE, Refuse(500, body=body))


@both
async def test_text_that_cannot_be_sent_is_refused_before_it_is(way: Way) -> None:
    request = ASKED.model_copy(update={"messages": (UserMessage(content="half a pair: \ud83d"),)})
    async with talking(OLLAMA, []) as (provider, server):
        with pytest.raises(errors.ModelRequestRejected):
            await asked(provider, way, request)
        assert not server.requests
