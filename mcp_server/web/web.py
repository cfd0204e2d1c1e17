"""HTTP requests to allowed hosts: every hop is checked, resolved once and pinned, and nothing of ours is sent along."""

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

import h11

from domain.base import Value
from domain.errors import UsageError
from domain.text import one_line
from mcp_server.web.exchange import Headers, connect, exchange
from mcp_server.web.url import Url, parse_url
from sandbox.egress.allowlist import AllowedHost, Allowlist, Wording
from sandbox.egress.endpoint import Endpoint, InvalidEndpoint, web_endpoints
from sandbox.egress.outside import Line, Outside, UpstreamProxies
from sandbox.egress.refusal import BadRequest, HostUnreachable

SETTING = "SOUNDSTAGE_HTTP_HOSTS"
WORDING = Wording(
    unlisted="is not among the hosts that http_request may reach",
    remedy=f"Do without it. Whoever runs Soundstage can allow it in {SETTING}, as name or name:port.",
    remedy_inside="No address inside of a network is ever reached.",
)
CONNECT_S = 10.0
MOST_HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
TO_ANY_HOST = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""Headers that follow a redirect to another host; any other may hold a secret."""


class WebRequest(Value):
    """What is asked. ``body`` is sent as it is."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""


class WebAnswer(Value):
    """What came back in the end, from ``url``. ``cut`` says that the body is longer than what was read of it;
    ``hops`` are the URLs that led there."""

    url: str
    status: int
    headers: Headers
    body: bytes
    cut: bool
    hops: tuple[str, ...] = ()


def read_hosts(text: str) -> tuple[Endpoint, ...]:
    """``NAME[:PORT],...``; without a port it is those of http and https. UsageError."""
    try:
        return tuple(one for part in text.replace(",", " ").split() for one in web_endpoints(part))
    except InvalidEndpoint as error:
        raise UsageError(f"{SETTING} cannot be used: {error}") from error


class Web:
    """Makes requests. ``hosts`` are all that can be reached, at no address inside of a network; ``inside`` are
    endpoints that may lie at one all the same, and exist for tests on loopback."""

    def __init__(
        self,
        hosts: Iterable[Endpoint] = (),
        proxies: UpstreamProxies | None = None,
        ca_bundle: Path | None = None,
        inside: Iterable[Endpoint] = (),
    ) -> None:
        allowed = [AllowedHost(endpoint=one, named=False) for one in hosts]
        allowed += [AllowedHost(endpoint=one, named=True) for one in inside]
        self.hosts = tuple(one.endpoint for one in allowed)
        self._allowlist = Allowlist(allowed, WORDING)
        self._proxies = proxies
        self._ca_bundle = ca_bundle

    async def fetch(self, request: WebRequest, most: int, timeout_s: float) -> WebAnswer:
        """The answer after redirects, with at most ``most`` bytes of its body. Refusal, InvalidEndpoint."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(request, most)
        except TimeoutError:
            raise HostUnreachable(f"The request took over {timeout_s:.0f} s and was ended.", 504) from None

    async def _follow(self, request: WebRequest, most: int) -> WebAnswer:
        outside = Outside(self._allowlist, self._proxies, CONNECT_S)
        url = parse_url(request.url)
        hops: list[str] = []
        while True:
            answer = await self._once(outside, url, request, most)
            location = next((value for name, value in answer.headers if name == "location"), "")
            if answer.status not in REDIRECTS or not location:
                return answer.model_copy(update={"hops": tuple(hops)})
            if len(hops) == MOST_HOPS:
                raise BadRequest(f"There were more than {MOST_HOPS} redirects, the last one to {one_line(location)}.")
            hops.append(str(url))
            target = url.join(location)
            if url.tls and not target.tls:
                raise BadRequest(f"The redirect to {target} would leave https, so it was not followed.")
            same = url.endpoint == target.endpoint
            request = _redirected(request, answer.status, same)
            if request.body and not same:
                raise BadRequest(f"The redirect to {target} would take the body to another host. Ask there yourself.")
            url = target

    async def _once(self, outside: Outside, url: Url, request: WebRequest, most: int) -> WebAnswer:
        line = await connect(outside, url, self._ca_bundle)
        try:
            return await _answer(line, url, request, most)
        finally:
            await line.close()


def _redirected(request: WebRequest, status: int, same: bool) -> WebRequest:
    """The request as it goes on: without a body where the answer is elsewhere, without secrets for another host."""
    headers = request.headers if same else tuple(one for one in request.headers if one[0].lower() in TO_ANY_HOST)
    if status == 303 or (status in {301, 302} and request.method == "POST"):
        method = "HEAD" if request.method == "HEAD" else "GET"
        kept = tuple(one for one in headers if not one[0].lower().startswith("content-"))
        return request.model_copy(update={"method": method, "headers": kept, "body": b""})
    return request.model_copy(update={"headers": headers})


async def _answer(line: Line, url: Url, request: WebRequest, most: int) -> WebAnswer:
    status, headers, body = 0, Headers(), bytearray()
    answer = exchange(line, url, request.method, request.headers, request.body)
    async with contextlib.aclosing(answer) as events:
        async for event in events:
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > most:
                    break
    return WebAnswer(url=str(url), status=status, headers=headers, body=bytes(body[:most]), cut=len(body) > most)
