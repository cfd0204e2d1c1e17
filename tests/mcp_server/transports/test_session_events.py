"""What a session was sent lately, alone and over HTTP: a client whose connection broke takes its request up again."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import mcp.types as types
from hypothesis import given
from hypothesis import strategies as st
from mcp.server.streamable_http import EventMessage

from mcp_server.transports.session_events import SessionEvents
from tests.mcp_server.conformance.server import build_probe_server
from tests.mcp_server.conformance.serving import served

ACCEPT = {"Accept": "application/json, text/event-stream"}
VERSION = "2025-11-25"
HELLO = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


def note(text: str) -> types.JSONRPCNotification:
    """A message."""
    return types.JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params={"data": text})


async def replayed(events: SessionEvents, after: str) -> tuple[str | None, list[Any]]:
    """The stream of an event and what came after it."""
    sent: list[Any] = []

    async def send(event: EventMessage) -> None:
        sent.append(event.message)

    return await events.replay_events_after(after, send), sent


async def test_what_followed_in_the_same_stream_is_sent_again_in_order() -> None:
    events = SessionEvents()
    first = await events.store_event("1", None)
    for stream, text in (("1", "a"), ("2", "b"), ("1", "c")):
        last = await events.store_event(stream, note(text))

    assert await replayed(events, first) == ("1", [note("a"), note("c")])
    assert await replayed(events, last) == ("1", [])
    assert await replayed(events, "99") == (None, [])
    assert await replayed(events, "no number") == (None, [])


async def test_what_comes_while_the_rest_is_sent_is_sent_too() -> None:
    events, sent = SessionEvents(), []
    first = await events.store_event("1", None)
    await events.store_event("1", note("a"))

    async def send(event: EventMessage) -> None:
        sent.append(event.message)
        if len(sent) == 1:
            await events.store_event("1", note("b"))

    await events.replay_events_after(first, send)
    assert sent == [note("a"), note("b")]


@given(st.lists(st.tuples(st.sampled_from("12"), st.none() | st.text(max_size=200)), max_size=30))
def test_no_more_is_kept_than_may_be_and_what_is_kept_is_the_newest(given: list[tuple[str, str | None]]) -> None:
    async def play() -> None:
        events = SessionEvents(most_events=5, most_bytes=600)
        ids = [await events.store_event(stream, None if text is None else note(text)) for stream, text in given]
        known = [(await replayed(events, event_id))[0] is not None for event_id in ids]
        assert known == sorted(known)
        assert sum(known) <= 5
        kept = [text for (_, text), there in zip(given, known, strict=True) if there and text is not None]
        assert sum(len(note(text).model_dump_json(by_alias=True, exclude_unset=True).encode()) for text in kept) <= 600
        for (stream, text), there in list(zip(given, known, strict=True))[-1:]:
            assert there or len((text or "").encode()) > 400, stream

    asyncio.run(play())


async def test_an_answer_that_is_too_large_to_be_kept_is_replaced_by_an_error_that_says_so() -> None:
    events = SessionEvents(most_bytes=400)
    first = await events.store_event("7", None)
    await events.store_event("7", types.JSONRPCResponse(jsonrpc="2.0", id=7, result={"text": "x" * 1000}))

    _, (answer,) = await replayed(events, first)
    assert isinstance(answer, types.JSONRPCError)
    assert answer.id == 7
    assert "Make the request again" in answer.error.message


class Visitor:
    """A session over HTTP without a client that would come back by itself."""

    def __init__(self, http: httpx2.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url
        self._headers = {**ACCEPT, "mcp-protocol-version": VERSION}

    async def __aenter__(self) -> "Visitor":
        hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}
        answer = await self._http.post(self._url, headers=ACCEPT, json=hello)
        self._headers["mcp-session-id"] = answer.headers["mcp-session-id"]
        done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await self._http.post(self._url, headers=self._headers, json=done)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.delete(self._url, headers=self._headers)

    async def call(self, name: str) -> list[dict[str, str]]:
        """The events of a call, until its stream ends."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}}
        async with self._http.stream("POST", self._url, headers=self._headers, json=body) as answer:
            return [event async for event in _events(answer)]

    async def resume(self, last: str) -> dict[str, Any] | None:
        """The first message that comes after an event; None where the stream ends without one."""
        headers = {**self._headers, "last-event-id": last}
        async with self._http.stream("GET", self._url, headers=headers) as answer:
            async for event in _events(answer):
                if event.get("data"):
                    message: dict[str, Any] = json.loads(event["data"])
                    return message
        return None


async def _events(answer: httpx2.Response) -> AsyncIterator[dict[str, str]]:
    event: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name.rstrip(":")] = value
        else:
            yield event
            event = {}


async def test_a_broken_connection_is_taken_up_again_by_its_own_session_and_by_no_other() -> None:
    async with (
        served(build_probe_server()) as url,
        httpx2.AsyncClient(timeout=60) as http,
        Visitor(http, url) as owner,
        Visitor(http, url) as other,
    ):
        (primed,) = await owner.call("test_reconnection")
        assert primed["retry"] == "1000"
        assert await other.resume(primed["id"]) is None
        answer = await owner.resume(primed["id"])
        assert answer is not None
        assert answer["result"]["content"][0]["text"] == "reconnected"
