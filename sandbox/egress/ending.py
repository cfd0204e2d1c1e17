"""Ending a stream to the sandbox so that all that was written arrives."""

import asyncio
import contextlib
from typing import Protocol, runtime_checkable

from domain.errors import SandboxLost, TransferFailed
from sandbox.base import ByteStream

LINGER_S = 5.0


@runtime_checkable
class HalfClosable(Protocol):
    """A stream that can say that no more will be written, while reading goes on."""

    async def end(self) -> None:
        """Ends one direction, behind all that was written."""
        ...


async def end(stream: ByteStream) -> None:
    """Tells the sandbox that no more will come, where the stream can say so."""
    if isinstance(stream, HalfClosable):
        await stream.end()


async def let_go(stream: ByteStream) -> None:
    """Ends a stream for good. What was written still arrives: the other end has some seconds to take it."""
    try:
        with contextlib.suppress(OSError, SandboxLost, TransferFailed):
            async with asyncio.timeout(LINGER_S):
                await end(stream)
                while await stream.read():
                    pass
    finally:
        await cut(stream)


async def cut(stream: ByteStream) -> None:
    """Ends a stream at once."""
    with contextlib.suppress(OSError, SandboxLost, TransferFailed):
        await stream.close()
