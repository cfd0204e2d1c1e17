"""What a session was sent lately: a client whose connection broke takes up its request again where it was."""

from itertools import count
from typing import NamedTuple

import mcp.types as types
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId

MOST_EVENTS = 1000
MOST_BYTES = 2**20


class _Event(NamedTuple):
    """A message as JSON, or nothing where it only begins a stream."""

    stream_id: StreamId
    message: bytes


class SessionEvents(EventStore):
    """Keeps the events of one session, so many and so many bytes of them together; the oldest go first.

    It must not be shared: a stream is known by the id of its request, which clients choose. An answer that is too large
    to be kept is replaced by an error that says so, as a client that came back would wait for it in vain.
    """

    def __init__(self, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._numbers = count(1)
        self._events: dict[EventId, _Event] = {}
        self._held = 0

    async def store_event(self, stream_id: StreamId, message: types.JSONRPCMessage | None) -> EventId:
        """Keeps an event; its id, which only grows."""
        event = _Event(stream_id, b"" if message is None else self._as_kept(message))
        event_id = str(next(self._numbers))
        self._events[event_id] = event
        self._held += len(event.message)
        while len(self._events) > self._most_events or self._held > self._most_bytes:
            self._held -= len(self._events.pop(next(iter(self._events))).message)
        return event_id

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Sends what came after an event in its stream; the stream, or None where the event is not kept any more."""
        last = self._events.get(last_event_id)
        if last is None:
            return None
        sent = int(last_event_id)
        # What comes while this is sent is sent as well.
        while (following := self._following(last.stream_id, sent)) is not None:
            sent, message = following
            await send_callback(EventMessage(types.jsonrpc_message_adapter.validate_json(message), str(sent)))
        return last.stream_id

    def _following(self, stream_id: StreamId, after: int) -> tuple[int, bytes] | None:
        for event_id, event in self._events.items():
            if int(event_id) > after and event.stream_id == stream_id and event.message:
                return int(event_id), event.message
        return None

    def _as_kept(self, message: types.JSONRPCMessage) -> bytes:
        data = message.model_dump_json(by_alias=True, exclude_unset=True).encode()
        if len(data) <= self._most_bytes or not isinstance(message, types.JSONRPCResponse):
            return data
        text = f"The answer has {len(data)} bytes, too many to be sent a second time. Make the request again."
        error = types.ErrorData(code=types.INTERNAL_ERROR, message=text)
        return types.JSONRPCError(jsonrpc="2.0", id=message.id, error=error).model_dump_json(by_alias=True).encode()
