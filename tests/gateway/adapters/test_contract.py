"""What every adapter promises, whoever's SDK is in it: every capability that it has."""

import asyncio
import json
import subprocess
import sys

import pytest

from domain import errors
from domain.chat import (
    AssistantMessage,
    EmbeddingReply,
    FinishReason,
    Image,
    ModelReply,
    ModelRequest,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSchema,
    Usage,
    UserMessage,
)
from tests.gateway.adapters.contract import (
    ASKED,
    KEY,
    SUBJECTS,
    TEXTS,
    Subject,
    Way,
    answer,
    asked,
    both,
    each,
    holds,
    pieces,
    talking,
)
from tests.wire.replies import Embed, Json, Reply, Say, Tokens

EXACT = Usage(input_tokens=11, output_tokens=7)
PICTURE = Image(media_type="image/png", data="iVBORw0KGgo=")
CALLS = (("shell", '{"script": "make test && echo done"}'), ("read", '{"path": "a.py"}'))


@each
async def test_an_answer_comes_in_pieces_and_then_whole_with_its_usage(subject: Subject) -> None:
    async with talking(subject, [Say("How are you today?")]) as (provider, _):
        deltas, reply = await pieces(provider)

    shown = [delta.text for delta in deltas if delta.text]
    assert len(shown) > 1
    assert "".join(shown) == "How are you today?"
    assert reply == ModelReply(
        message=AssistantMessage(content="How are you today?"), usage=EXACT, finish_reason=FinishReason.STOP
    )


@each
async def test_an_answer_that_is_asked_for_in_one_piece_is_the_same(subject: Subject) -> None:
    said = Say("Grüße, 漢字 \U0001f600", calls=CALLS, reasoning="Hm.")

    assert await answer(subject, Way.WHOLE, said) == await answer(subject, Way.PIECES, said)


@each
@both
async def test_everything_in_a_conversation_reaches_the_provider_in_a_form_that_it_accepts(
    subject: Subject, way: Way
) -> None:
    call = ToolCall(id="call00001", name="shell", arguments='{"script": "ls"}')
    parameters = {"type": "object", "properties": {"script": {"type": "string"}}}
    request = ModelRequest(
        model="test-model",
        messages=(
            SystemMessage(content="be good"),
            UserMessage(content="h\u00e9llo \u6f22"),
            AssistantMessage(content="", tool_calls=(call, call.model_copy(update={"id": "call00002"}))),
            ToolMessage(tool_call_id="call00001", content="one"),
            ToolMessage(tool_call_id="call00002", content="two"),
            AssistantMessage(content="sorry"),
            UserMessage(content="again"),
        ),
        tools=(ToolSchema(name="shell", description="runs", parameters=parameters),),
        max_output_tokens=99,
        temperature=0.5,
    )
    async with talking(subject, [Say("ok")]) as (provider, server):
        assert (await asked(provider, way, request)).message.content == "ok"
        (body,) = server.chats
        (sent,) = server.requests

    said = ("be good", "h\u00e9llo \u6f22", "one", "two", "sorry", "again")
    assert all(holds(body, value) for value in (*said, "test-model", "runs", parameters, 99, 0.5))
    assert not subject.key_variable or sent.headers["authorization"] == f"Bearer {KEY}"


@each
@both
@pytest.mark.parametrize("text", ["look", ""])
async def test_a_picture_is_shown(subject: Subject, way: Way, text: str) -> None:
    request = ASKED.model_copy(update={"messages": (UserMessage(content=text, images=(PICTURE, PICTURE)),)})
    async with talking(subject, [Say("nice")]) as (provider, server):
        assert (await asked(provider, way, request)).message.content == "nice"
        (sent,) = server.requests

    assert sent.body.decode().replace("\\/", "/").count(PICTURE.data) == 2


@each
@both
async def test_an_answer_that_follows_a_schema_can_be_asked_for(subject: Subject, way: Way) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    async with talking(subject, [Say('{"a": 1}')]) as (provider, server):
        reply = await asked(provider, way, ASKED.model_copy(update={"json_schema": schema}))
        (body,) = server.chats

    assert json.loads(reply.message.content) == {"a": 1}
    assert holds(body, schema)


@each
@both
async def test_tool_calls_side_by_side_are_told_apart(subject: Subject, way: Way) -> None:
    reply = await answer(subject, way, Say("I look.", calls=CALLS))

    assert reply.message.content == "I look."
    told = [(call.name, json.loads(call.arguments)) for call in reply.message.tool_calls]
    assert told == [(name, json.loads(arguments)) for name, arguments in CALLS]
    assert len({call.id for call in reply.message.tool_calls}) == 2
    assert reply.finish_reason is FinishReason.TOOL_CALLS


@each
@both
@pytest.mark.parametrize("arguments", ['{"script": "unterminated', "", "[1]", '"\\ud83d"'])
async def test_arguments_that_are_no_json_object_are_handed_on_as_they_are(
    subject: Subject, way: Way, arguments: str
) -> None:
    if subject.raw_arguments:
        reply = await answer(subject, way, Say(calls=(("shell", arguments),)))
        assert reply.message.tool_calls[0].arguments == arguments


@each
@both
@pytest.mark.parametrize(
    "said",
    [Say("42", reasoning="I think hard."), Say("<think>I think hard.</think>\n42")],
    ids=["in its place", "in the text"],
)
async def test_reasoning_is_kept_apart_from_the_answer(subject: Subject, way: Way, said: Say) -> None:
    reply = await answer(subject, way, said)

    assert (reply.message.content, reply.reasoning) == ("42", "I think hard.")


@each
async def test_reasoning_comes_in_pieces_too(subject: Subject) -> None:
    async with talking(subject, [Say("42", reasoning="I think hard.")]) as (provider, _):
        deltas, _reply = await pieces(provider)

    assert "".join(delta.reasoning for delta in deltas) == "I think hard."
    assert "".join(delta.text for delta in deltas) == "42"


@each
@both
async def test_the_usage_is_what_the_provider_tells(subject: Subject, way: Way) -> None:
    reply = await answer(subject, way, Say("ok", usage=Tokens(input=100, output=50, cached=80, reasoning=30)))

    cached, reasoning = 80 if subject.tells_cached else 0, 30 if subject.tells_reasoning else 0
    assert reply.usage == Usage(input_tokens=100, output_tokens=50, cached_tokens=cached, reasoning_tokens=reasoning)


@each
@both
async def test_a_usage_that_is_not_told_is_an_estimate_that_says_so(subject: Subject, way: Way) -> None:
    short = await answer(subject, way, Say("x", usage=None))
    long = await answer(subject, way, Say("x" * 900, reasoning="y" * 900, usage=None))

    assert short.usage.estimated
    assert short.usage.input_tokens > 0
    assert long.usage.output_tokens >= 1800 // 4 > short.usage.output_tokens > 0


@each
@both
async def test_fields_that_nobody_knows_do_no_harm(subject: Subject, way: Way) -> None:
    extra: Json = {"annotations": [], "provider_secret": {"a": 1}, "refusal": None}

    reply = await answer(subject, way, Say("fine", calls=CALLS[:1], extra=extra))

    assert (reply.message.content, len(reply.message.tool_calls), reply.usage) == ("fine", 1, EXACT)


@pytest.mark.parametrize(
    ("subject", "word"),
    [(subject, word) for subject in SUBJECTS for word in subject.finishes],
    ids=lambda value: value.name if isinstance(value, Subject) else value,
)
@both
async def test_why_the_model_stopped_is_told_in_our_words(subject: Subject, way: Way, word: str) -> None:
    assert (await answer(subject, way, Say("x", finish=word))).finish_reason is subject.finishes[word]


@each
@both
async def test_calls_side_by_side_get_their_own_answers(subject: Subject, way: Way) -> None:
    def echo(body: Json) -> Reply:
        return Say(str(body["messages"][-1]["content"]))

    async with talking(subject, echo) as (provider, _):
        wanted = [ASKED.model_copy(update={"messages": (UserMessage(content=f"{n}"),)}) for n in range(20)]
        replies = await asyncio.gather(*(asked(provider, way, request) for request in wanted))

    assert [reply.message.content for reply in replies] == [f"{n}" for n in range(20)]


@each
async def test_one_call_after_the_other_goes_over_one_connection(subject: Subject) -> None:
    async with talking(subject, lambda _body: Say("ok", calls=CALLS)) as (provider, server):
        for way in (*Way, *Way):
            await asked(provider, way)
        assert server.accepted == 1


@each
async def test_half_a_surrogate_pair_does_not_spoil_the_reply_for_who_stores_it(subject: Subject) -> None:
    for way in Way:
        reply = await answer(subject, way, Say("smile \ud83d", reasoning="\ude00"))

        assert "smile" in reply.message.content
        assert ModelReply.model_validate_json(reply.model_dump_json()) == reply


@each
async def test_texts_become_vectors_in_their_order_where_the_provider_offers_it(subject: Subject) -> None:
    vectors = ((0.5, -1.0), (0.25, 2.0), (0.0, 1e-9))
    async with talking(subject, [Embed(vectors, tokens=9)]) as (provider, server):
        if subject.embeds:
            reply = await provider.embed(TEXTS)
            assert reply == EmbeddingReply(vectors=vectors, usage=Usage(input_tokens=9))
            assert holds(server.chats[0], list(TEXTS.texts))
        else:
            with pytest.raises(errors.ModelRequestRejected):
                await provider.embed(TEXTS)


@each
async def test_the_models_of_a_server_are_listed(subject: Subject) -> None:
    async with talking(subject, (), models=["b", "a"]) as (provider, _):
        assert await provider.models() == ["b", "a"]
    await provider.close()


@each
def test_an_sdk_is_imported_by_the_first_request_and_not_before(subject: Subject) -> None:
    program = f"""
import sys
from tests.gateway.adapters.contract import SUBJECTS, provider_at
for subject in SUBJECTS:
    provider_at(subject, "http://127.0.0.1:9")
sys.exit(any(name in sys.modules for name in ({subject.sdk!r}, "httpx", "httpx2")))
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
