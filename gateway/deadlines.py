"""How long a model may take."""

import asyncio
from collections.abc import AsyncGenerator

from pydantic import Field

from domain.base import Value
from domain.chat import Delta, ModelReply
from domain.errors import ModelTimeout


class Deadlines(Value):
    """Seconds to the first piece of an answer, between two pieces, and for all of it."""

    first_s: float = Field(default=120.0, gt=0)
    between_s: float = Field(default=60.0, gt=0)
    total_s: float = Field(default=600.0, gt=0)


async def within(
    deadlines: Deadlines, stream: AsyncGenerator[Delta | ModelReply], whole: bool = False
) -> AsyncGenerator[Delta | ModelReply]:
    """The stream's pieces; ModelTimeout when one is late. The stream is closed in any case.

    A ``whole`` answer comes in one piece, for which there is all of the time.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + deadlines.total_s
    patience = deadlines.total_s if whole else deadlines.first_s
    try:
        while True:
            try:
                async with asyncio.timeout_at(min(end, loop.time() + patience)):
                    piece = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise ModelTimeout(
                    f"The provider sent nothing for {patience:.0f} s, or took over {deadlines.total_s:.0f} s in all. "
                    "Wait, or use another model with --model."
                ) from None
            patience = deadlines.between_s
            yield piece
    finally:
        await stream.aclose()
