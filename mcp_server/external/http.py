"""A server at a URL: the SDK's streamable HTTP, over connections that the web's guard opens."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import h11
import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage

from domain.errors import SoundstageError
from mcp_server.external.config import ServerConfig
from mcp_server.external.gate import Gate
from mcp_server.external.stdio import MOST_LINE, ServerEnded
from mcp_server.web.exchange import connect, exchange
from mcp_server.web.url import parse_url
from sandbox.egress.allowlist import AllowedHost, Allowlist, Wording
from sandbox.egress.outside import Line, Outside, UpstreamProxies
from sandbox.egress.refusal import BadRequest

MOST_BODY = MOST_LINE
"""Bytes of one answer, with all that is told while it is worked on."""
WORDING = Wording(
    unlisted="is not the host of the server's url",
    remedy="A server is never followed to another host: correct its url in servers.toml.",
    remedy_inside="If that is meant, say inside = true in servers.toml.",
)


class RemoteServer:
    """Speaks to it. Its host is the only one that is ever reached."""

    def __init__(
        self, config: ServerConfig, proxies: UpstreamProxies | None = None, ca_bundle: Path | None = None
    ) -> None:
        self._config = config
        self._proxies = proxies
        self._ca_bundle = ca_bundle

    @contextlib.asynccontextmanager
    async def running(self, gate: Gate) -> AsyncIterator[asyncio.Task[None]]:
        """The conversation behind a gate. The task ends with it, and raises why."""
        url = parse_url(self._config.url or "")
        allowed = [AllowedHost(endpoint=url.endpoint, named=self._config.inside)]
        outside = Outside(Allowlist(allowed, WORDING), self._proxies, self._config.connect_s)
        transport = GuardedTransport(outside, self._ca_bundle)
        timeout = httpx2.Timeout(None)  # every wait has its end in the link
        async with (
            httpx2.AsyncClient(
                transport=transport, headers=self._headers(), timeout=timeout, trust_env=False
            ) as client,
            streamable_http_client(str(url), http_client=client, terminate_on_close=False) as (incoming, outgoing),
        ):

            async def receive() -> None:
                try:
                    async for item in incoming:
                        if isinstance(item, SessionMessage):
                            await gate.deliver(item, 0)
                finally:
                    gate.end()
                raise ServerEnded("the connection was ended")

            async def send() -> None:
                async with contextlib.aclosing(gate.outgoing()) as messages:
                    async for message in messages:
                        await outgoing.send(message)

            reading, writing = asyncio.create_task(receive()), asyncio.create_task(send())
            try:
                yield reading
            finally:
                for task in (reading, writing):
                    task.cancel()
                await asyncio.wait([reading, writing])

    def _headers(self) -> dict[str, str]:
        if self._config.bearer_from is None:
            return {}
        return {"Authorization": f"Bearer {self._config.secrets[self._config.bearer_from].get_secret_value()}"}


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends requests to allowed hosts, one a connection, and takes so much of an answer and no more."""

    def __init__(self, outside: Outside, ca_bundle: Path | None) -> None:
        self._outside = outside
        self._ca_bundle = ca_bundle

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, whose body comes as it is read. TransportError."""
        if request.method != "POST":
            # A stream of what nobody asked for: the protocol lets a server refuse it, and so a client may do without.
            return httpx2.Response(405, request=request)
        try:
            return await self._send(request)
        except SoundstageError as error:
            raise httpx2.ConnectError(str(error), request=request) from error

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        url = parse_url(str(request.url))
        body = await request.aread()
        line = await connect(self._outside, url, self._ca_bundle)
        try:
            events = exchange(line, url, request.method, tuple(request.headers.multi_items()), body)
            head = await anext(events)
            if not isinstance(head, h11.Response) or any(name == b"content-encoding" for name, _ in head.headers):
                raise BadRequest(f"{url.endpoint} answers in an encoding that it was not asked for.")
        except BaseException:
            await line.close()
            raise
        return httpx2.Response(
            head.status_code, headers=list(head.headers), stream=_Body(line, events), request=request
        )


class _Body(httpx2.AsyncByteStream):
    def __init__(self, line: Line, events: AsyncGenerator[h11.Response | h11.Data | h11.EndOfMessage]) -> None:
        self._line = line
        self._events = events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        try:
            async for event in self._events:
                if isinstance(event, h11.Data):
                    taken += len(event.data)
                    if taken > MOST_BODY:
                        raise httpx2.ReadError(f"the answer is longer than {MOST_BODY // 2**20} MiB")
                    yield bytes(event.data)
                    await asyncio.sleep(0)  # others must have their turn
        except SoundstageError as error:
            raise httpx2.ReadError(str(error)) from error

    async def aclose(self) -> None:
        await self._events.aclose()
        await self._line.close()
