"""The verbs that every sandbox gets from its ``start``."""

import abc
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import AbstractAsyncContextManager

from domain.command import Command, CommandResult
from domain.errors import SandboxLost
from sandbox.base import OutputChunk, Running


class CommandVerbs(abc.ABC):
    """Runs commands, by whatever starts them."""

    @abc.abstractmethod
    def start(
        self, command: Command, stdin: AsyncIterable[bytes] | None = None
    ) -> AbstractAsyncContextManager[Running]:
        """Starts a command."""

    async def stream(
        self, command: Command, stdin: AsyncIterable[bytes] | None = None
    ) -> AsyncGenerator[OutputChunk | CommandResult]:
        """Runs a command, yielding its output and then its result, while it is fed from ``stdin``."""
        async with self.start(command, stdin) as running, contextlib.aclosing(running.items()) as items:
            async for item in items:
                yield item

    async def run(self, command: Command) -> CommandResult:
        """Runs a command to its end."""
        async with contextlib.aclosing(self.stream(command)) as items:
            async for item in items:
                if isinstance(item, CommandResult):
                    return item
        raise SandboxLost
