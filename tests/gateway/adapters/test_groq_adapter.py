"""What is special about Groq."""

from typing import get_args

import pytest
from groq.types.chat.chat_completion import Choice
from groq.types.chat.chat_completion_chunk import Choice as ChunkChoice

from domain import errors
from domain.chat import ModelRequest, Usage
from domain.errors import SoundstageError
from gateway.adapters.openai_wire import FINISH_REASONS
from gateway.base import Call
from gateway.deadlines import Deadlines
from gateway.policy import GatewayPolicy, RetryPolicy
from tests.gateway.adapters.contract import ASKED, GROQ, Way, answer, asked, pieces, provider_at, refusal, talking
from tests.gateway.house import Purse, single
from tests.wire.dialect import event
from tests.wire.replies import Json, Raw, Refuse, Reply, Say
from tests.wire.server import WireServer

SCHEMA = ASKED.model_copy(update={"json_schema": {"type": "object"}})


@pytest.mark.parametrize("choice", [Choice, ChunkChoice])
def test_every_finish_reason_that_the_sdk_knows_has_a_meaning(choice: type[Choice | ChunkChoice]) -> None:
    annotation = choice.model_fields["finish_reason"].annotation
    words = {word for part in (annotation, *get_args(annotation)) for word in (get_args(part) or (part,))}

    assert {word for word in words if isinstance(word, str)} <= set(FINISH_REASONS)


async def test_the_limit_has_its_new_name_and_the_usage_of_a_stream_is_asked_for() -> None:
    async with talking(GROQ, [Say("ok"), Say("ok")]) as (provider, server):
        await provider.complete(ASKED)
        await pieces(provider)
        whole, streamed = server.chats

    assert whole["max_completion_tokens"] == ASKED.max_output_tokens
    assert streamed == {**whole, "stream": True, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize("path", ["", "/", "/openai/v1", "/openai/v1/"])
async def test_the_url_may_be_the_one_of_groqs_openai_api_or_the_one_that_the_sdk_takes(path: str) -> None:
    async with WireServer(GROQ.dialect, [Say("ok")]) as server:
        provider = provider_at(GROQ, server.url + path)
        assert (await asked(provider, Way.WHOLE)).message.content == "ok"
        await provider.close()


async def test_an_answer_that_follows_a_schema_is_asked_for_in_one_piece_since_groq_streams_none() -> None:
    async with talking(GROQ, [Say('{"a": 1}', reasoning="Hm.")]) as (provider, server):
        deltas, reply = await pieces(provider, SCHEMA)

    assert "stream" not in server.chats[0]
    assert [(delta.text, delta.reasoning) for delta in deltas] == [('{"a": 1}', "Hm.")]
    assert (reply.message.content, reply.reasoning) == ('{"a": 1}', "Hm.")


async def test_for_such_an_answer_there_is_all_of_the_time_and_for_the_first_piece_of_another_one_there_is_not() -> (
    None
):
    policy = GatewayPolicy(deadlines=Deadlines(first_s=1e-6), retry=RetryPolicy(attempts=1))
    async with talking(GROQ, [Say('{"a": 1}'), Say("late")]) as (provider, _):
        await provider.models()
        gateway = single(provider, Purse(), policy)
        assert (await gateway.collect(asking(SCHEMA))).reply.message.content == '{"a": 1}'
        with pytest.raises(errors.ModelTimeout):
            await gateway.collect(asking(ASKED))


def asking(request: ModelRequest) -> Call:
    return Call(request=request, task_id="t1", purpose="test", scope="task:t1")


def chunk(delta: Json, finish: str | None = None, **rest: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **rest})


async def test_the_usage_is_read_in_the_place_that_groq_has_of_its_own() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "queue_time": 0.1}
    body = chunk({"content": "ok"}) + chunk({}, "stop", x_groq={"id": "req_1", "usage": usage})

    assert (await answer(GROQ, Way.PIECES, Raw(body))).usage == Usage(input_tokens=3, output_tokens=2)


FAULTS: dict[str, tuple[Reply, type[SoundstageError]]] = {
    "broken off": (Raw(chunk({"content": "o"}, x_groq={"error": "over capacity"})), errors.ModelOverloaded),
    "error event": (Raw(b"event: error\n" + event({"error": {"message": "no"}})), errors.ModelOverloaded),
    "an event of another name": (Raw(b"event: ping\n" + chunk({"content": "o"}, "stop")), errors.ModelProtocolError),
    "no capacity": (Refuse(498, "Flex tier capacity exceeded"), errors.ModelOverloaded),
    "tokens a minute": (Refuse(413, "Request too large: TPM limit 8000, requested 9000"), errors.ContextTooLong),
    "a bad tool call": (Refuse(400, "Failed to call a function.", "tool_use_failed"), errors.ModelRequestRejected),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_groqs_own_is_an_error_of_ours(fault: str) -> None:
    reply, expected = FAULTS[fault]

    assert type(await refusal(GROQ, Way.PIECES, reply)) is expected
