"""Ending a stream of the sandbox."""

import asyncio

import pytest

from sandbox.egress import ending
from sandbox.egress.ending import let_go


class Slow:
    """A stream that drops what its other end has not taken yet when it is closed."""

    def __init__(self, takes: int) -> None:
        self.calls: list[str] = []
        self._takes = takes

    async def read(self) -> bytes:
        """Words of the other end, until it has taken everything."""
        self.calls.append("read")
        self._takes -= 1
        if self._takes < 0:
            await asyncio.sleep(3600)
        return b"x" if self._takes else b""

    async def write(self, data: bytes) -> None:
        """Takes anything."""

    async def end(self) -> None:
        """No more will come."""
        self.calls.append("end")

    async def close(self) -> None:
        """Ends it."""
        self.calls.append("close")


async def test_a_stream_is_closed_only_when_its_other_end_has_taken_everything() -> None:
    stream = Slow(takes=3)

    await let_go(stream)

    assert stream.calls == ["end", "read", "read", "read", "close"]


async def test_an_other_end_that_never_leaves_is_waited_for_some_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "LINGER_S", 0.1)
    stream = Slow(takes=0)

    await let_go(stream)

    assert stream.calls == ["end", "read", "close"]


async def test_a_stream_is_closed_when_the_waiting_is_cancelled() -> None:
    stream = Slow(takes=0)
    task = asyncio.create_task(let_go(stream))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert stream.calls[-1] == "close"
