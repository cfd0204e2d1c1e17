"""What every adapter makes of the faults of a server, whoever's SDK is in it."""

import asyncio
import json
from importlib import import_module
from typing import Any

import pytest

from domain import errors
from domain.chat import Delta
from domain.errors import SoundstageError
from gateway.adapters import adapter
from gateway.deadlines import Deadlines, within
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
    framed,
    ours,
    pieces,
    provider_at,
    refusal,
    talking,
)
from tests.wire.replies import Break, Embed, Raw, Refuse, Reply, Say, Trouble
from tests.wire.server import full_url, refusing_url

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
}


@each
@both
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_a_server_is_an_error_of_ours(subject: Subject, way: Way, fault: str) -> None:
    reply, expected = FAULTS[fault]

    assert type(await refusal(subject, way, reply)) is expected


NO_COUNTS = (-1, 1.5, "many", 2**40 + 1, 10**20)
ALMOST_COUNTS = (7.0, "7", True)
"""What is no number of tokens either, but could be taken for one."""


@each
@both
@pytest.mark.parametrize("tokens", [*NO_COUNTS, *ALMOST_COUNTS])
@pytest.mark.parametrize("of_output", [False, True], ids=["input", "output"])
async def test_a_usage_that_is_no_count_of_tokens_is_a_breach_of_the_protocol(
    subject: Subject, way: Way, tokens: Any, of_output: bool
) -> None:
    counts = (3, tokens) if of_output else (tokens, 3)
    names = (("prompt_tokens", "completion_tokens"), ("prompt_eval_count", "eval_count"))
    usage = {name: count for pair in names for name, count in zip(pair, counts, strict=True)}

    if way in subject.lenient and tokens in ALMOST_COUNTS:
        assert (await answer(subject, way, Say("x", usage=usage))).usage.total_tokens == 3 + int(tokens)
    else:
        assert type(await refusal(subject, way, Say("x", usage=usage))) is errors.ModelProtocolError


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


PASSED_ON: dict[str, tuple[Exception | str, type[SoundstageError]]] = {
    "never let in": ("ConnectTimeout", errors.ModelConnectionFailed),
    "never in the pool": ("PoolTimeout", errors.ModelConnectionFailed),
    "refused": ("ConnectError", errors.ModelConnectionFailed),
    "silent": ("ReadTimeout", errors.ModelTimeout),
    "deaf": ("WriteTimeout", errors.ModelTimeout),
    "closed": ("RemoteProtocolError", errors.ModelConnectionLost),
    "reset": (ConnectionResetError("reset"), errors.ModelConnectionLost),
    "no json": (json.JSONDecodeError("no", "{", 1), errors.ModelProtocolError),
    "no text": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), errors.ModelProtocolError),
}
"""What SDKs let through; a name is that of an exception of the HTTP client."""


@each
@pytest.mark.parametrize("name", PASSED_ON)
def test_what_an_sdk_lets_through_is_an_error_of_ours_too(subject: Subject, name: str) -> None:
    raised, expected = PASSED_ON[name]
    provider = provider_at(subject, "http://127.0.0.1:1")
    error = raised if isinstance(raised, Exception) else getattr(import_module(provider.http), raised)("no")

    assert type(ours(provider, error)) is expected


@each
def test_an_error_of_ours_and_a_bug_pass_unchanged(subject: Subject) -> None:
    provider = provider_at(subject, "http://127.0.0.1:1")
    for error in (errors.ModelProtocolError("ours"), AttributeError("a bug"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised, provider.errors("m"):
            raise error
        assert raised.value is error


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
        async with asyncio.timeout(60):
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
        async with asyncio.timeout(60):
            await server.quiet()
        assert (await provider.complete(ASKED)).message.content == "next"


@each
async def test_a_caller_that_stops_listening_ends_the_connection(subject: Subject) -> None:
    async with talking(subject, [Break(Trouble.HANG, after=3), Say("next")]) as (provider, server):
        stream = provider.stream(ASKED)
        assert isinstance(await anext(stream), Delta)
        await stream.aclose()
        async with asyncio.timeout(60):
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
async def test_a_server_that_lets_nobody_in_was_sent_nothing(subject: Subject, way: Way) -> None:
    with full_url(subject.dialect) as url:
        provider = provider_at(subject, url, connect_s=0.2)
        with pytest.raises(errors.ModelConnectionFailed, match=url) as raised:
            await asked(provider, way)
        assert type(raised.value) is errors.ModelConnectionFailed
        await provider.close()


@each
async def test_a_list_of_models_is_not_waited_for_as_an_answer_is(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "LISTING_S", 0.3)
    with full_url(subject.dialect) as url:
        provider = provider_at(subject, url)
        with pytest.raises(errors.ModelTimeout):
            await provider.models()
        await provider.close()


SHARED = ("401", "404", "429", "500", "reset before headers", "reset in the middle", "nothing")
EMBEDDING_FAULTS: dict[str, tuple[Reply, type[SoundstageError]]] = {
    **{name: FAULTS[name] for name in SHARED},
    "too few": (Embed([(1.0,)]), errors.ModelProtocolError),
    "no numbers": (Embed([("x",)] * 3), errors.ModelProtocolError),  # type: ignore[list-item]  # text where numbers belong
    "another length": (Embed([(1.0,), (1.0,), (1.0, 2.0)]), errors.ModelProtocolError),
    "a list": (Raw(b"[]"), errors.ModelProtocolError),
    "too many tokens": (Embed([(1.0,)] * 3, tokens=10**20), errors.ModelProtocolError),
}


@pytest.mark.parametrize("subject", [subject for subject in SUBJECTS if subject.embeds], ids=lambda each: each.name)
@pytest.mark.parametrize("fault", EMBEDDING_FAULTS)
async def test_each_fault_in_embedding_is_an_error_of_ours(subject: Subject, fault: str) -> None:
    reply, expected = EMBEDDING_FAULTS[fault]
    async with talking(subject, [reply]) as (provider, _):
        with pytest.raises(SoundstageError) as raised:
            await provider.embed(TEXTS)

    assert type(raised.value) is expected


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
