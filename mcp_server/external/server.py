"""An external server as tools see it: it is reached when it is needed, and left alone for a time when it fails."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from domain.text import one_line
from mcp_server.external.answer import as_outcome
from mcp_server.external.config import ServerConfig
from mcp_server.external.definition import Definition, Listing
from mcp_server.external.link import Link, Unreachable, Way
from mcp_server.tool import ToolOutcome, ToolRefused
from mcp_server.untrusted import untrusted

RELISTED_S = 30.0
"""How long what a server listed is taken to be so, where it says nothing else."""
FIRST_REST_S = 1.0
LONGEST_REST_S = 120.0


class ExternalServer:
    """Calls its tools. ``way`` starts it, and ``told`` is called with what it lists, each time that it is listed."""

    def __init__(
        self,
        config: ServerConfig,
        way: Way,
        told: Callable[[Listing], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self._way = way
        self._told = told
        self._clock = clock
        self._link: Link | None = None
        self._past: list[Link] = []
        self._listed_at = 0.0
        self._listing: Listing | None = None
        self._listen = asyncio.Lock()
        self._failures = 0
        self._rests_until = 0.0

    @property
    def connected(self) -> bool:
        """Whether there is a connection, or one is being made."""
        return self._link is not None and not self._link.ended

    async def call(self, approved: Definition, arguments: dict[str, Any]) -> ToolOutcome:
        """What a tool answers, where it is still the one that was approved. ToolRefused."""
        name = self.config.name
        try:
            link = self._linked()
            offered = await self._current(link)
            if offered.get(approved.name) != approved.digest:
                raise ToolRefused(_changed(name, approved.name))
            answer = await link.call(approved.name, arguments)
            self._failures = 0
            return as_outcome(name, answer)
        except Unreachable as reason:
            self._settle()
            self._listing = None  # whether it is still there shows when it is asked for its tools
            said = untrusted(f"the external server {name}", str(reason))
            text = f"The external server {name} could not do it. Do without it, or try it once more later.\n{said}"
            return ToolOutcome(text=text, ok=False)

    async def listing(self) -> Listing:
        """What it offers now. Unreachable."""
        return await self._list(self._linked())

    def _linked(self) -> Link:
        """A connection, made where there is none. Unreachable while the server rests."""
        self._settle()
        if self._link is None:
            if (left := self._rests_until - self._clock()) > 0:
                raise Unreachable(f"it failed {self._failures} times, and is left alone for {left:.0f} s more")
            self._link, self._listing = Link(self.config, self._way), None
        return self._link

    def _settle(self) -> None:
        """Puts a connection aside that has ended. After a second failure without a success between, the server rests,
        and longer after each further one."""
        if self._link is None or not self._link.ended:
            return
        if self._link.failed is not None:
            self._failures += 1
            rest = FIRST_REST_S * 2 ** min(self._failures - 2, 20) if self._failures > 1 else 0.0
            self._rests_until = self._clock() + min(LONGEST_REST_S, rest)
        self._past = [link for link in (*self._past, self._link) if not link.gone]
        self._link = None

    async def _current(self, link: Link) -> dict[str, str]:
        """The digests of what it offers by name, asked for where that may have changed. Unreachable."""
        async with self._listen:
            if link.stale or self._listing is None or self._clock() - self._listed_at > RELISTED_S:
                return _digests(await self._list(link))
            return _digests(self._listing)

    async def _list(self, link: Link) -> Listing:
        try:
            listing = self._listing = await link.listing()
        except Unreachable as reason:
            # Who does not tell what it offers is of no use: the next call starts it anew.
            link.give_up(str(reason))
            self._settle()
            raise
        self._listed_at = self._clock()
        self._told(listing)
        return listing

    async def close(self) -> None:
        """Lets go of it."""
        links = [*self._past, *([self._link] if self._link is not None else [])]
        await asyncio.gather(*(link.close() for link in links))


def _digests(listing: Listing) -> dict[str, str]:
    return {tool.name: tool.digest for tool in listing.tools}


def _changed(server: str, tool: str) -> str:
    return (
        f"The tool {one_line(tool)} of the external server {server} is not the one that was approved any more, so it "
        f"was not called. Do without it. Whoever runs Soundstage can look at it and approve it anew: "
        f"soundstage servers approve {server}"
    )
