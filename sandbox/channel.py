"""The host's end of the connection with a runner: requests and connections, told apart by their numbers."""

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from typing import Any

from domain.errors import LeaseEnded, SandboxLost
from sandbox.base import ByteStream
from sandbox.inbox import Inbox, Window
from sandbox.runner import frames
from sandbox.runner.server import READY

SENDER_PAUSE_S = 0.1
BEAT_S = 15.0
"""How often the runner is told that somebody is still there."""
MOST_OPEN = 1024
"""Conversations at once; a runner that opens more is no runner of ours."""


class Channel:
    """Sends frames to a runner and sorts what comes back. Any loss of the stream raises SandboxLost.

    ``token`` is the fencing token of the lease: the runner refuses requests that carry another one.
    """

    def __init__(self, stream: ByteStream, beat_s: float = BEAT_S) -> None:
        self.token = 0
        self._beat_s = beat_s
        self._stream = stream
        self._inboxes: dict[int, Inbox] = {READY: Inbox()}
        self._windows: dict[int, Window] = {}
        self._last = READY
        self._is_lost = self._is_retired = False
        self._senders: set[asyncio.Task[None]] = set()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._beat())]

    @property
    def lost(self) -> bool:
        """Whether the runner is gone."""
        return self._is_lost

    async def ready(self, timeout_s: float) -> None:
        """Waits until the runner says that it is there."""
        try:
            await self._inboxes[READY].take(timeout_s)
        except SandboxLost:
            raise SandboxLost("The sandbox ended before it was ready. Run: soundstage doctor") from None
        except TimeoutError:
            raise SandboxLost(f"The sandbox was not ready within {timeout_s:.0f} s. Run: soundstage doctor") from None

    def open(self, number: int | None = None) -> tuple[int, Inbox, Window]:
        """Makes room for a conversation; gives it a number, when it has none. SandboxLost."""
        if self._is_retired:
            raise LeaseEnded
        if self._is_lost:
            raise SandboxLost
        if number is None:
            self._last = number = self._last % (frames.FIRST_CONNECTION - 1) + 1
        inbox = self._inboxes.setdefault(number, Inbox())
        window = self._windows.setdefault(number, Window())
        return number, inbox, window

    def forget(self, number: int) -> None:
        """Ends a conversation: what still comes for it is dropped."""
        self._inboxes.pop(number, None)
        self._windows.pop(number, None)

    def ask(self, number: int, ask: dict[str, Any]) -> bytes:
        """The frames of a request."""
        data = json.dumps(ask | {"token": ask.get("token", self.token)}).encode()
        pieces = [data[at : at + frames.MAX_FRAME] for at in range(0, len(data), frames.MAX_FRAME)]
        parts = [frames.encode(frames.PART, number, piece) for piece in pieces[:-1]]
        return b"".join([*parts, frames.encode(frames.REQUEST, number, pieces[-1])])

    async def send(self, data: bytes) -> None:
        """Sends frames. What cannot be sent any more is dropped: the loss shows on the way back."""
        if not self._is_lost:
            with contextlib.suppress(OSError):
                await self._stream.write(data)

    def retire(self) -> None:
        """Serves its holder no more; the runner may still say its last words. LeaseEnded from now on."""
        self._is_retired = True
        self.lose()

    def lose(self) -> None:
        """Gives the runner up."""
        self._is_lost = True
        for inbox in self._inboxes.values():
            inbox.lose()
        for window in self._windows.values():
            window.lose()

    async def _beat(self) -> None:
        while not self._is_lost:
            await asyncio.sleep(self._beat_s)
            await self.send(frames.encode(frames.BEAT, READY))

    async def _read(self) -> None:
        decoder = frames.Decoder()
        try:
            while data := await self._stream.read():
                for frame in decoder.feed(data):
                    if not self._sort(frame):
                        return
        except (OSError, frames.FrameError, asyncio.IncompleteReadError):
            pass
        finally:
            self.lose()

    def _sort(self, frame: frames.Frame) -> bool:
        kind, number, payload = frame
        if kind == frames.CREDIT:
            if window := self._windows.get(number):
                window.give(int.from_bytes(payload[:4], "big"))
            return True
        if kind == frames.RESULT and (window := self._windows.get(number)):
            window.lose()
        if kind == frames.OPENED and number in self._inboxes:
            # Bytes of the new connection may come before anybody has heard of it.
            connection = int.from_bytes(payload[:4], "big")
            if connection not in (number, max(connection, frames.FIRST_CONNECTION)) or len(self._inboxes) > MOST_OPEN:
                return False
            self._inboxes.setdefault(connection, Inbox())
            self._windows.setdefault(connection, Window())
        inbox = self._inboxes.get(number)
        return inbox is None or inbox.put(kind, payload)

    async def drained(self, patience_s: float) -> None:
        """Waits until the runner has ended its side, at most that long."""
        await asyncio.wait(self._tasks[:1], timeout=patience_s)

    def spawn(self, sending: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Sends something in the background; the end of the channel is the end of it, whoever forgot it."""
        task = asyncio.create_task(sending)
        self._senders.add(task)
        task.add_done_callback(self._senders.discard)
        return task

    async def close(self) -> None:
        """Ends the conversation; the runner ends with it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.lose()
        for task in self._senders:
            task.cancel()
        await self._stream.close()
        while self._senders:
            # Cancelled once, it still says that it ends; that may wait for room which there will never be.
            await asyncio.wait(self._senders, timeout=SENDER_PAUSE_S)
            for task in self._senders:
                task.cancel()
