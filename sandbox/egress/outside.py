"""Connections from this machine to an allowed host: straight, or through the upstream proxy that the machine needs.

Behind a proxy no address is pinned, because the proxy resolves the name itself.
"""

import asyncio
import base64
import contextlib
import ipaddress
import socket
import ssl
import urllib.parse
import urllib.request
from dataclasses import dataclass

from pydantic import Field

from domain.base import Value
from domain.text import public_url
from sandbox.egress.allowlist import Allowlist
from sandbox.egress.endpoint import PORTS, Address, Endpoint
from sandbox.egress.refusal import HostRefused, HostUnreachable

BUFFER = 64 * 1024
CLOSE_S = 1.0
LOOKUP_S = 3.0
"""How long a name is looked up where a proxy leads to it: many machines behind one have no names for the outside."""


class UpstreamProxies(Value):
    """The HTTP proxies that this machine itself needs: URLs for https and for http, and the hosts that need none."""

    https: str | None = Field(default=None, repr=False)
    http: str | None = Field(default=None, repr=False)
    bypass: str = ""

    def for_endpoint(self, endpoint: Endpoint, tunnel: bool) -> str | None:
        """The proxy's URL, or None where the way is straight."""
        proxy = self.https if tunnel else self.http
        # The standard library's own reading of NO_PROXY, which it takes as a mapping.
        if not proxy or urllib.request.proxy_bypass_environment(str(endpoint), {"no": self.bypass}):  # type: ignore[attr-defined] # typeshed lacks it
            return None
        return proxy


@dataclass(frozen=True)
class Line:
    """An open connection. With ``whole_urls`` a proxy takes plain requests at the other end; ``credentials`` are
    what it wants to see."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    whole_urls: bool = False
    credentials: bytes = b""

    async def close(self) -> None:
        """Lets go of the connection at once; what the other end has not taken yet is dropped."""
        self.writer.transport.abort()
        # After a TLS handshake that did not end, asyncio never says that the connection is closed.
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.writer.wait_closed()


class Outside:
    """Opens connections. A name is resolved once, and the addresses found then are the only ones ever used."""

    def __init__(self, allowlist: Allowlist, proxies: UpstreamProxies | None = None, connect_s: float = 20.0) -> None:
        self._allowlist = allowlist
        self._proxies = proxies or UpstreamProxies()
        self._connect_s = connect_s
        self._pinned: dict[Endpoint, tuple[Address, ...]] = {}
        self._resolving: dict[Endpoint, asyncio.Lock] = {}

    async def open(self, endpoint: Endpoint, tunnel: bool) -> Line:
        """A connection to an endpoint that the allowlist holds. HostRefused, HostUnreachable."""
        if objection := self._allowlist.objection(endpoint):
            raise HostRefused(objection)
        try:
            async with asyncio.timeout(self._connect_s):
                if proxy := self._proxies.for_endpoint(endpoint, tunnel):
                    await self._vet_known(endpoint)
                    return await _through(proxy, endpoint, tunnel)
                return await self._straight(endpoint)
        except TimeoutError:
            raise HostUnreachable(f"{endpoint} does not answer within {self._connect_s:.0f} s.", 504) from None

    async def _vet_known(self, endpoint: Endpoint) -> None:
        """HostRefused when the name is known here and leads inside.

        The proxy resolves it again, and often only the proxy knows it: what it finds is up to the proxy.
        """
        with contextlib.suppress(HostUnreachable, TimeoutError):
            async with asyncio.timeout(LOOKUP_S):
                await self._addresses(endpoint)

    async def _straight(self, endpoint: Endpoint) -> Line:
        trouble = "no address"
        for address in await self._addresses(endpoint):
            try:
                reader, writer = await asyncio.open_connection(str(address), endpoint.port, limit=BUFFER)
            except OSError as error:
                trouble = error.strerror or type(error).__name__
                continue
            return Line(reader, writer)
        raise HostUnreachable(f"{endpoint} cannot be reached from this machine: {trouble}.")

    async def _addresses(self, endpoint: Endpoint) -> tuple[Address, ...]:
        async with self._resolving.setdefault(endpoint, asyncio.Lock()):
            if endpoint not in self._pinned:
                self._pinned[endpoint] = self._vetted(endpoint, await _resolve(endpoint))
            return self._pinned[endpoint]

    def _vetted(self, endpoint: Endpoint, found: tuple[Address, ...]) -> tuple[Address, ...]:
        objections = [self._allowlist.objection_to_address(endpoint, address) for address in found]
        if refused := next((objection for objection in objections if objection), None):
            # One inside address among others is no accident of an outside host: none of them is used.
            raise HostRefused(refused)
        return found


async def _resolve(endpoint: Endpoint) -> tuple[Address, ...]:
    if endpoint.address is not None:
        return (endpoint.address,)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except OSError as error:
        reason = error.strerror or "not found"
        raise HostUnreachable(f"The name {endpoint.host} cannot be resolved on this machine: {reason}.") from error
    return tuple(dict.fromkeys(ipaddress.ip_address(str(item[4][0]).partition("%")[0]) for item in found))


async def _through(proxy: str, endpoint: Endpoint, tunnel: bool) -> Line:
    try:
        parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port, shown = parts.hostname, parts.port, public_url(proxy)
        if not host or parts.scheme not in PORTS:
            raise ValueError
    except ValueError:
        raise HostUnreachable(
            "This machine's proxy is no http or https URL. Correct HTTPS_PROXY and HTTP_PROXY."
        ) from None
    tls = ssl.create_default_context() if parts.scheme == "https" else None
    try:
        reader, writer = await asyncio.open_connection(host, port or PORTS[parts.scheme], ssl=tls, limit=BUFFER)
    except OSError as error:
        raise HostUnreachable(f"This machine's proxy {shown} does not answer: {error.strerror or error}.") from error
    line = Line(reader, writer, whole_urls=not tunnel, credentials=_credentials(parts))
    if tunnel:
        try:
            await _ask(line, endpoint, shown)
        except BaseException:
            await line.close()
            raise
    return line


def _credentials(parts: urllib.parse.SplitResult) -> bytes:
    if parts.username is None:
        return b""
    pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    return b"Basic " + base64.b64encode(pair.encode())


async def _ask(line: Line, endpoint: Endpoint, shown: str) -> None:
    head = f"CONNECT {endpoint} HTTP/1.1\r\nHost: {endpoint}\r\n".encode()
    if line.credentials:
        head += b"Proxy-Authorization: " + line.credentials + b"\r\n"
    try:
        line.writer.write(head + b"\r\n")
        await line.writer.drain()
        answer = await line.reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise HostUnreachable(f"This machine's proxy {shown} broke off.") from error
    version, _, rest = answer.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest.startswith(b"2"):
        said = rest.splitlines()[0][:80].decode("ascii", "replace") if rest else "nothing"
        raise HostUnreachable(f"This machine's proxy {shown} does not lead to {endpoint}: {said}.")
