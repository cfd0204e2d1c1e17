"""The connections of clients of the older protocol, over HTTP."""

import asyncio
import contextlib

from mcp.server.auth.middleware.bearer_auth import AuthorizationContext
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from domain.access import AccessKeys
from domain.errors import StorageUnavailable
from mcp_server.transports.session_events import SessionEvents

MOST_OF_A_KEY = 50


class Sessions(StreamableHTTPSessionManager):
    """So many of one key, so that none takes the room of all; each with a memory of its own for what it was sent; and
    ended, with what is under way in them, when their key is taken back."""

    @property
    def event_store(self) -> SessionEvents:
        """A new one: it is asked for once for each session."""
        return SessionEvents()

    @event_store.setter
    def event_store(self, shared: object) -> None:
        """What sessions would share is not used."""

    def _admit_session(self, requestor: AuthorizationContext | None) -> StreamableHTTPServerTransport | None:
        """None, which is answered with 503, where the key has too many."""
        if sum(owner == requestor for owner in self._session_owners.values()) >= MOST_OF_A_KEY:
            return None
        return super()._admit_session(requestor)

    async def review(self, keys: AccessKeys, every_s: float) -> None:
        """Ends the sessions whose keys work no longer, for ever."""
        while True:
            await asyncio.sleep(every_s)
            with contextlib.suppress(StorageUnavailable):
                await self._end_those_without(keys)

    async def _end_those_without(self, keys: AccessKeys) -> None:
        for key_id in {owner["client_id"] for owner in self._session_owners.values()}:
            if await keys.works(key_id):
                continue
            for session_id, owner in list(self._session_owners.items()):
                if owner["client_id"] == key_id and session_id in self._server_instances:
                    await self._server_instances[session_id].terminate()
