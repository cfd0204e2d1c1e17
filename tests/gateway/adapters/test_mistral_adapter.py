import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors
from domain.chat import (
    AssistantMessage,
    EmbeddingRequest,
    FinishReason,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from gateway.sanitiser import sanitised
from tests.gateway.adapters.contract import ASKED, KEY, MISTRAL, Way, answer, both, provider_at, talking
from tests.wire.dialect import event
from tests.wire.replies import Embed, Json, Raw, Refuse, Say
from tests.wire.server import WireServer


def chunk(delta: Json, finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


@given(st.text())
def test_an_id_of_any_provider_becomes_one_that_mistral_takes_and_always_the_same_one(given: str) -> None:
    def call_id(name: str) -> str:
        asks = AssistantMessage(tool_calls=(ToolCall(id=name, name="shell", arguments="{}"),))
        request = ASKED.model_copy(update={"messages": (*ASKED.messages, asks)})
        return next(
            message.tool_calls[0].id
            for message in sanitised(request, "mistral").messages
            if isinstance(message, AssistantMessage) and message.tool_calls
        )

    assert re.fullmatch(r"[a-zA-Z0-9]{9}", call_id(given))
    assert call_id(given) == call_id(given)
    assert call_id(call_id(given)) == call_id(given)


async def test_calls_of_another_provider_and_their_answers_still_belong_together() -> None:
    calls = tuple(ToolCall(id=name, name="shell", arguments="{}") for name in ("call_1", "call_2", "abcDEF123"))
    answers = tuple(ToolMessage(tool_call_id=call.id, content=call.id) for call in calls)
    history = (UserMessage(content="go"), AssistantMessage(content="", tool_calls=calls), *answers)
    async with talking(MISTRAL, [Say("ok")]) as (provider, server):
        await provider.complete(sanitised(ASKED.model_copy(update={"messages": history}), "mistral"))
        (body,) = server.chats

    sent = [call["id"] for call in body["messages"][1]["tool_calls"]]
    assert sent == [message["tool_call_id"] for message in body["messages"][2:]]
    assert len(set(sent)) == 3
    assert sent[2] == "abcDEF123"


@both
async def test_the_limit_of_the_model_is_a_length_and_an_end_by_an_error_is_an_error(way: Way) -> None:
    assert (await answer(MISTRAL, way, Say("x", finish="model_length"))).finish_reason is FinishReason.LENGTH
    with pytest.raises(errors.ModelOverloaded):
        await answer(MISTRAL, way, Say("x", finish="error"))


async def test_thinking_and_text_in_one_list_of_parts_are_told_apart() -> None:
    thoughts = [{"type": "text", "text": "I think "}, {"type": "reference", "reference_ids": [1]}]
    parts = [{"type": "thinking", "thinking": thoughts}, {"type": "text", "text": "42"}, {"type": "new", "new": 1}]

    reply = await answer(MISTRAL, Way.PIECES, Raw(chunk({"content": parts}, "stop")))

    assert (reply.message.content, reply.reasoning) == ("42", "I think ")


async def test_arguments_that_come_as_an_object_become_text() -> None:
    call = {"id": "abc123def", "function": {"name": "shell", "arguments": {"script": "ls"}}, "index": 0}

    reply = await answer(MISTRAL, Way.PIECES, Raw(chunk({"content": "", "tool_calls": [call]}, "tool_calls")))

    assert [json.loads(each.arguments) for each in reply.message.tool_calls] == [{"script": "ls"}]


async def test_an_error_in_place_of_a_chunk_is_told_in_its_words() -> None:
    told = {"object": "error", "message": "Service unavailable", "type": "internal", "code": "3000"}
    with pytest.raises(errors.ModelOverloaded, match="Service unavailable 3000"):
        await answer(MISTRAL, Way.PIECES, Raw(chunk({"content": "I"}) + event(told)))


async def test_the_usage_may_come_in_a_chunk_of_its_own() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 8}}
    closing = event({"id": "1", "model": "m", "choices": [], "usage": usage})

    reply = await answer(MISTRAL, Way.PIECES, Raw(chunk({"content": "x"}, "stop") + closing))

    assert reply.usage == Usage(input_tokens=9, output_tokens=2, cached_tokens=8)


async def test_an_old_model_of_which_mistral_warns_answers_all_the_same() -> None:
    headers = {"x-model-deprecation-timestamp": "2026-12-01T00:00:00Z", "content-type": "text/event-stream"}
    warned = Refuse(200, headers=headers, body=chunk({"content": "still here"}, "stop"))

    assert (await answer(MISTRAL, Way.PIECES, warned)).message.content == "still here"


async def test_telemetry_of_the_sdk_stays_off_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK refuses to work with this value, if it looks.
    monkeypatch.setenv("MISTRAL_SDK_TELEMETRY", "certainly")

    assert (await answer(MISTRAL, Way.WHOLE, Say("ok"))).message.content == "ok"


async def test_the_key_of_the_environment_is_not_sent_in_place_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "somebody-elses")
    async with talking(MISTRAL, [Say("ok")]) as (provider, server):
        await provider.complete(ASKED)

    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_base_url_with_the_version_at_its_end_is_the_same_place() -> None:
    async with WireServer(MISTRAL.dialect, models=["a", "b"]) as server:
        provider = provider_at(MISTRAL, f"{server.url}/v1/")
        assert await provider.models() == ["a", "b"]
        await provider.close()


async def test_a_model_of_a_form_that_the_sdk_does_not_know_is_listed_too() -> None:
    listing = {"object": "list", "data": [{"id": "new", "type": "next"}, {"id": "bare", "type": "base"}]}
    async with talking(MISTRAL, (), models=Raw(json.dumps(listing).encode(), "application/json")) as (provider, _):
        assert await provider.models() == ["new", "bare"]


async def test_what_mistral_says_of_a_field_is_in_the_message() -> None:
    with pytest.raises(errors.ModelRequestRejected, match="should be shorter"):
        await answer(MISTRAL, Way.WHOLE, Refuse(422, "should be shorter"))


@both
async def test_a_model_that_mistral_calls_invalid_is_unknown(way: Way) -> None:
    with pytest.raises(errors.UnknownModel, match="test-model"):
        await answer(MISTRAL, way, Refuse(400, "Invalid model: test-model", "1500"))


async def test_vectors_are_in_the_order_of_the_texts_whatever_their_order_on_the_wire() -> None:
    data = [{"object": "embedding", "index": index, "embedding": [float(index)]} for index in (1, 0)]
    told = {"id": "1", "object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 3}}
    async with talking(MISTRAL, [Raw(json.dumps(told).encode()), Embed([[0.5]])]) as (provider, _):
        found = await provider.embed(EmbeddingRequest(model="mistral-embed", texts=("a", "b")))

    assert found.vectors == ((0.0,), (1.0,))
    assert found.usage == Usage(input_tokens=3)
