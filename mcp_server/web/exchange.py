"""One request over one connection, and its answer as it comes."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import h11

from domain.text import one_line
from mcp_server.web.url import Url
from sandbox.egress.outside import Line, Outside
from sandbox.egress.refusal import BadRequest, HostUnreachable
from sandbox.egress.relay import events
from sandbox.egress.request import HOP_BY_HOP

HEAD_BYTES = 64 * 1024
OURS = frozenset({"host", "content-length", "accept-encoding", "expect", *(name.decode() for name in HOP_BY_HOP)})
"""Headers that a request cannot set: they decide where it goes, and how it is framed."""

Headers = tuple[tuple[str, str], ...]


async def connect(outside: Outside, url: Url, ca_bundle: Path | None) -> Line:
    """A connection to where a URL leads, encrypted where it says so. Refusal."""
    line = await outside.open(url.endpoint, url.tls)
    try:
        if url.tls:
            trust = await asyncio.to_thread(ssl.create_default_context, cafile=ca_bundle)
            await line.writer.start_tls(trust, server_hostname=url.endpoint.host)
    except ssl.SSLError as error:
        await line.close()
        why = one_line(error.reason or str(error))
        raise HostUnreachable(f"{url.endpoint} cannot be spoken to in TLS: {why}.") from error
    except OSError as error:
        await line.close()
        raise HostUnreachable(f"{url.endpoint} broke off: {one_line(str(error))}.") from error
    except BaseException:
        await line.close()
        raise
    return line


async def exchange(
    line: Line, url: Url, method: str, headers: Headers, body: bytes
) -> AsyncGenerator[h11.Response | h11.Data | h11.EndOfMessage]:
    """Sends a request, without the headers that it cannot set, and gives what is answered. Refusal."""
    state = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    try:
        sent = [state.send(_head(line, url, method, headers, len(body)))]
        sent += [state.send(h11.Data(data=body)), state.send(h11.EndOfMessage())]
    except h11.LocalProtocolError as error:
        raise BadRequest(f"The request cannot be sent: {one_line(str(error))}.") from error
    try:
        line.writer.write(b"".join(part for part in sent if part))
        await line.writer.drain()
        async for event in events(line, state):
            yield event
    except (OSError, h11.RemoteProtocolError) as error:
        raise HostUnreachable(f"{url.endpoint} broke off: {one_line(str(error))}.") from error


def _head(line: Line, url: Url, method: str, headers: Headers, size: int) -> h11.Request:
    given = [(name, value) for name, value in headers if name.lower() not in OURS]
    named = {name.lower() for name, _ in given}
    usual = [pair for pair in (("User-Agent", "soundstage"), ("Accept", "*/*")) if pair[0].lower() not in named]
    sent = [("Host", url.host), *given, *usual, ("Accept-Encoding", "identity"), ("Connection", "close")]
    if size or method in {"POST", "PUT", "PATCH"}:
        sent.append(("Content-Length", str(size)))
    encoded = [(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in sent]
    target = url.path
    if line.whole_urls:
        target = str(url)
        encoded += [(b"Proxy-Authorization", line.credentials)] if line.credentials else []
    return h11.Request(method=method, target=target, headers=encoded)
