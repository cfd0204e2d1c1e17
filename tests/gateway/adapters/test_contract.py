"""What every adapter promises, whoever's SDK is in it: every capability, and every fault of a server."""

import asyncio
import json
import subprocess
import sys

import pytest

from domain import errors
from domain.chat import (
    AssistantMessage,
    Delta,
    EmbeddingReply,
    EmbeddingRequest,
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
from domain.errors import SoundstageError
from gateway.deadlines import Deadlines, within
from tests.gateway.adapters.contract import (
    ASKED,
    KEY,
    SUBJECTS,
    Subject,
    Way,
    answer,
    asked,
    framed,
    holds,
    pieces,
    provider_at,
    refusal,
    talking,
)
from tests.wire.replies import Break, Embed, Json, Raw, Refuse, Reply, Say, Tokens, Trouble
from tests.wire.server import refusing_url

EXACT = Usage(input_tokens=11, output_tokens=7)
PICTURE = Image(media_type="image/png", data="iVBORw0KGgo=")
CALLS = (("shell", '{"script": "make test && echo done"}'), ("read", '{"path": "a.py"}'))
each = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
both = pytest.mark.parametrize("way", Way)


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


CONTEXT = Refuse(400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded")
FAULTS: dict[str, tuple[Reply, type[SoundstageError]]] = {
    "401": (Refuse(401, "Incorrect API key provided", "invalid_api_key"), errors.ModelAuthenticationFailed),
    "403": (Refuse(403, "Country not supported"), errors.ModelAuthenticationFailed),
    "403 model": (Refuse(403, "The model is blocked", "model_permission_blocked_org"), errors.UnknownModel),
    "404": (Refuse(404, "The model does not exist", "model_not_found"), errors.UnknownModel),
    "400 context": (CONTEXT, errors.ContextTooLong),
    "400 other": (Refuse(400, "Invalid value: 'temperature'"), errors.ModelRequestRejected),
    "402": (Refuse(402, "Insufficient balance"), errors.NoCredit),
    "413": (Refuse(413, "Request Entity Too Large"), errors.ContextTooLong),
    "429": (Refuse(429, "Rate limit reached", "rate_limit_exceeded"), errors.RateLimited),
    "429 quota": (Refuse(429, "You exceeded your quota.", "insufficient_quota"), errors.NoCredit),
    "500": (Refuse(500, "The server had an error"), errors.ModelOverloaded),
    "503": (Refuse(503, "Maintenance"), errors.ModelOverloaded),
    "529": (Refuse(529, "Overloaded"), errors.ModelOverloaded),
    "502 in html": (Refuse(502, body=b"<html>Bad gateway</html>"), errors.ModelOverloaded),
    "400 without a body": (Refuse(400, body=b""), errors.ModelRequestRejected),
    "reset before headers": (Break(Trouble.RESET), errors.ModelConnectionLost),
    "reset after headers": (Break(Trouble.RESET, after=0), errors.ModelConnectionLost),
    "reset in the middle": (Break(Trouble.RESET, after=3), errors.ModelConnectionLost),
    "end before headers": (Break(Trouble.CUT), errors.ModelConnectionLost),
    "end in the middle": (Break(Trouble.CUT, after=3), errors.ModelConnectionLost),
    "no finish reason": (Say("never ending", finish=None), errors.ModelProtocolError),
    "nothing": (Raw(b""), errors.ModelProtocolError),
    "a web page": (Raw(b"<html>It works!</html>", "text/html"), errors.ModelProtocolError),
    "plain text": (Raw(b"Ollama is running", "text/plain"), errors.ModelProtocolError),
    "usage below zero": (Say("x", usage=Tokens(input=-1)), errors.ModelProtocolError),
}


@each
@both
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_server_is_an_error_of_ours(subject: Subject, way: Way, fault: str) -> None:
    reply, expected = FAULTS[fault]

    assert type(await refusal(subject, way, reply)) is expected


@each
@both
async def test_an_answer_that_ends_too_early_is_said_to_do_so(subject: Subject, way: Way) -> None:
    assert "ended before it was complete" in str(await refusal(subject, way, Say("never ending", finish=None)))


@each
@both
@pytest.mark.parametrize("document", [b"{oops", b'["x"]', b'"x"', b"3", b"null", b'"\xff"'], ids=repr)
async def test_a_document_that_is_no_answer_is_a_breach_of_the_protocol(
    subject: Subject, way: Way, document: bytes
) -> None:
    error = await refusal(subject, way, Raw(framed(subject.dialect, way, document)))

    assert type(error) is errors.ModelProtocolError


@each
@both
@pytest.mark.parametrize(
    ("message", "expected"),
    [("out of memory", errors.ModelOverloaded), ("maximum context exceeded", errors.ContextTooLong)],
)
async def test_an_error_in_the_place_of_an_answer_is_one_of_ours(
    subject: Subject, way: Way, message: str, expected: type[SoundstageError]
) -> None:
    document = subject.dialect.error(Refuse(200, message))

    assert type(await refusal(subject, way, Raw(framed(subject.dialect, way, document)))) is expected


ECHO = f"Authorization: Bearer {KEY} is not welcome"


@each
@both
@pytest.mark.parametrize(
    "reply",
    [
        *(Refuse(status, ECHO) for status in (400, 401, 403, 404, 429, 500)),
        Refuse(400, ECHO, "context_length_exceeded"),
        Refuse(400, body=f"<html>{ECHO}</html>".encode()),
    ],
    ids=["400", "401", "403", "404", "429", "500", "context", "no json"],
)
async def test_a_server_that_repeats_the_key_does_not_get_it_into_our_message(
    subject: Subject, way: Way, reply: Reply
) -> None:
    assert KEY not in str(await refusal(subject, way, reply))


@each
@both
async def test_an_error_in_the_place_of_an_answer_that_repeats_the_key_does_not_either(
    subject: Subject, way: Way
) -> None:
    document = framed(subject.dialect, way, subject.dialect.error(Refuse(200, ECHO)))

    assert KEY not in str(await refusal(subject, way, Raw(document)))


@each
@both
async def test_a_refused_key_is_an_error_that_says_which_variable_to_set(subject: Subject, way: Way) -> None:
    message = str(await refusal(subject, way, Refuse(401)))

    named = {word for word in message.replace(".", " ").split() if word.endswith("_KEY")}
    assert named == ({subject.key_variable} if subject.key_variable else set())


@each
@both
@pytest.mark.parametrize(("headers", "seconds"), [({}, None), ({"Retry-After": "7"}, 7.0)], ids=["silent", "told"])
async def test_an_overload_says_when_to_come_back_if_the_server_does(
    subject: Subject, way: Way, headers: dict[str, str], seconds: float | None
) -> None:
    error = await refusal(subject, way, Refuse(429, headers=headers))

    assert isinstance(error, errors.ModelOverloaded)
    assert error.retry_after_s == seconds


@each
@both
@pytest.mark.parametrize("after", [None, 0, 3], ids=["before headers", "after headers", "in the middle"])
async def test_a_server_that_hangs_is_left_after_the_read_timeout(
    subject: Subject, way: Way, after: int | None
) -> None:
    error = await refusal(subject, way, Break(Trouble.HANG, after=after), read_s=0.2)

    assert type(error) is errors.ModelTimeout


@each
async def test_a_stream_that_only_drips_is_left_at_the_deadline(subject: Subject) -> None:
    async with talking(subject, [Break(Trouble.DRIP, after=3)]) as (provider, server):
        with pytest.raises(errors.ModelTimeout):
            async for _piece in within(Deadlines(between_s=0.2), provider.stream(ASKED)):
                pass
        async with asyncio.timeout(10):
            await server.quiet()


@each
@pytest.mark.parametrize("trouble", [Trouble.DRIP, Trouble.HANG])
async def test_an_answer_that_nobody_waits_for_any_more_ends_with_its_connection(
    subject: Subject, trouble: Trouble
) -> None:
    async with talking(subject, [Break(trouble, after=0), Say("next")]) as (provider, server):
        await provider.models()  # imports the SDK, which may take longer than the wait below
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await provider.complete(ASKED)
        async with asyncio.timeout(10):
            await server.quiet()
        assert (await provider.complete(ASKED)).message.content == "next"


@each
async def test_a_caller_that_stops_listening_ends_the_connection(subject: Subject) -> None:
    async with talking(subject, [Break(Trouble.HANG, after=3), Say("next")]) as (provider, server):
        stream = provider.stream(ASKED)
        assert isinstance(await anext(stream), Delta)
        await stream.aclose()
        async with asyncio.timeout(10):
            await server.quiet()
        assert (await pieces(provider))[1].message.content == "next"


@each
@both
async def test_a_server_that_is_not_there_is_named(subject: Subject, way: Way) -> None:
    url = refusing_url(subject.dialect)
    provider = provider_at(subject, url)

    with pytest.raises(errors.ModelConnectionFailed, match=url):
        await asked(provider, way)
    with pytest.raises(errors.ModelConnectionFailed, match=url):
        await provider.models()
    await provider.close()


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


TEXTS = EmbeddingRequest(model="test-model", texts=("one", "two", "three"))


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


SHARED = ("401", "404", "429", "500", "reset before headers", "reset in the middle", "nothing")
EMBEDDING_FAULTS: dict[str, tuple[Reply, type[SoundstageError]]] = {
    **{name: FAULTS[name] for name in SHARED},
    "too few": (Embed([(1.0,)]), errors.ModelProtocolError),
    "no numbers": (Embed([("x",)] * 3), errors.ModelProtocolError),  # type: ignore[list-item] # the fault
    "another length": (Embed([(1.0,), (1.0,), (1.0, 2.0)]), errors.ModelProtocolError),
    "a list": (Raw(b"[]"), errors.ModelProtocolError),
}


@pytest.mark.parametrize("subject", [subject for subject in SUBJECTS if subject.embeds], ids=lambda each: each.name)
@pytest.mark.parametrize("fault", EMBEDDING_FAULTS)
async def test_each_fault_in_embedding_is_an_error_of_ours(subject: Subject, fault: str) -> None:
    reply, expected = EMBEDDING_FAULTS[fault]
    async with talking(subject, [reply]) as (provider, _):
        with pytest.raises(SoundstageError) as raised:
            await provider.embed(TEXTS)

    assert type(raised.value) is expected


@each
async def test_the_models_of_a_server_are_listed(subject: Subject) -> None:
    async with talking(subject, (), models=["b", "a"]) as (provider, _):
        assert await provider.models() == ["b", "a"]
    await provider.close()


LISTINGS: dict[str, Raw | Refuse] = {
    "text": Raw(b"It runs", "text/plain"),
    "html": Raw(b"<html>It works!</html>", "text/html"),
    "list": Raw(b"[]"),
    "no json": Raw(b"{oops"),
    "no id": Raw(b'{"data": [{"owner": "x"}], "models": [{"owner": "x"}]}'),
    "null": Raw(b'{"data": null, "models": null}'),
    "not found": Refuse(404, "no such path"),
}


@each
@pytest.mark.parametrize("listing", LISTINGS)
async def test_a_listing_that_is_none_is_a_breach_of_the_protocol(subject: Subject, listing: str) -> None:
    async with talking(subject, (), models=LISTINGS[listing]) as (provider, _):
        with pytest.raises(errors.ModelProtocolError):
            await provider.models()


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
