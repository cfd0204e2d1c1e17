"""Reading what a package client asks of the proxy, strictly. Source: RFC 9112; the grammar is h11's."""

import re

import h11

from domain.base import Value
from sandbox.egress.endpoint import Endpoint, InvalidEndpoint, parse_authority
from sandbox.egress.refusal import BadRequest

HEAD_END = b"\r\n\r\n"
PLAIN_METHODS = frozenset({b"GET", b"HEAD"})
HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")
FOLDED = re.compile(rb"\r\n[ \t]")

Headers = tuple[tuple[bytes, bytes], ...]


class ProxyRequest(Value):
    """A request: a ``tunnel`` to an endpoint, or a plain one for ``path`` there. ``headers`` are end-to-end ones."""

    endpoint: Endpoint
    tunnel: bool
    method: str
    path: str = ""
    headers: Headers = ()


def parse_head(head: bytes, most_headers: int) -> tuple[ProxyRequest, h11.Connection]:
    """The request in a complete head, and the connection's state for the answer to it. BadRequest."""
    if BARE_LINE_END.search(head) or FOLDED.search(head):
        raise BadRequest("The request's lines are not in the form of HTTP/1.1.")
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=len(head) + 1)
    try:
        connection.receive_data(head)
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise BadRequest(f"The request is no HTTP/1.1: {str(error)[:200]}.") from error
    if not isinstance(event, h11.Request) or event.http_version not in {b"1.0", b"1.1"}:
        raise BadRequest("The request is no HTTP/1.1.")
    headers = tuple(event.headers)
    if len(headers) > most_headers:
        raise BadRequest(f"The request has more than {most_headers} headers.", 431)
    if _has_body(headers):
        raise BadRequest("A request with a body is refused: package clients need none to install.", 413)
    return _request(event.method, event.target, headers), connection


def _request(method: bytes, target: bytes, headers: Headers) -> ProxyRequest:
    try:
        if method == b"CONNECT":
            return ProxyRequest(endpoint=parse_authority(_text(target)), tunnel=True, method="CONNECT")
        if method not in PLAIN_METHODS:
            raise BadRequest(f"The method {method[:20]!r} is refused. Use CONNECT, GET or HEAD.", 405)
        place, path = _split(_text(target))
    except InvalidEndpoint as error:
        raise BadRequest(str(error)) from error
    return ProxyRequest(
        endpoint=place, tunnel=False, method=method.decode(), path=path, headers=end_to_end(headers, drop=b"host")
    )


def _text(target: bytes) -> str:
    try:
        return target.decode("ascii")
    except UnicodeDecodeError:
        raise BadRequest("The request's target holds bytes that are not ASCII.") from None


def _split(target: str) -> tuple[Endpoint, str]:
    scheme, separator, rest = target.partition("://")
    if not separator or not scheme.isalpha():
        raise BadRequest("A proxy takes CONNECT host:port, or GET with a whole http URL; this is neither.")
    if scheme.lower() != "http":
        raise BadRequest("Only http URLs are fetched for a client. Use CONNECT for https.")
    at = next((at for at, character in enumerate(rest) if character in "/?#"), len(rest))
    place = parse_authority(rest[:at], default_port=80)
    path = rest[at:]
    if "#" in path:
        raise BadRequest("A URL with a fragment is refused.")
    return place, path if path.startswith("/") else f"/{path}"


def _has_body(headers: Headers) -> bool:
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers)


def end_to_end(headers: Headers, drop: bytes = b"") -> Headers:
    """The headers less those that belong to one hop: the usual ones, and those that ``Connection`` names."""
    named = {
        token.strip().lower() for name, value in headers if name.lower() == b"connection" for token in value.split(b",")
    }
    gone = HOP_BY_HOP | named | {drop}
    return tuple((name, value) for name, value in headers if name.lower() not in gone)


def host_header(place: Endpoint) -> bytes:
    """What the Host header of a plain request says of an endpoint."""
    text = str(place)
    return (text.removesuffix(":80") if place.port == 80 else text).encode()
