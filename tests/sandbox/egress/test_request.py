"""What the proxy takes for a request."""

import contextlib
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.egress.endpoint import endpoint
from sandbox.egress.refusal import BadRequest
from sandbox.egress.request import HOP_BY_HOP, end_to_end, host_header, parse_head
from tests.sandbox.egress.test_allowlist import ENDPOINTS
from tests.sandbox.egress.test_endpoint import NAMES, PORTS

TOKENS = st.text(string.ascii_lowercase + "-", min_size=1, max_size=12).map(str.encode)
LINES = st.sampled_from(
    [b"Host: a.example", b"Content-Length: 0", b"Content-Length: 5", b"Transfer-Encoding: chunked", b" folded",
     b"Connection: x", b"X: 1", b"X : 1", b": 1", b"Host: b.example", b"Content-Length: -1", b"", b"\x00: 1"]
)  # fmt: skip
ENDS = st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\r\n"])


def parse(head: bytes, most: int = 64) -> object:
    """The request in a head."""
    return parse_head(head, most)[0]


@settings(deadline=None)
@given(NAMES, PORTS)
def test_connect_names_its_endpoint(name: str, port: int) -> None:
    request, _ = parse_head(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode(), 64)

    assert request.tunnel
    assert (request.endpoint.host, request.endpoint.port) == (name.lower(), port)


@settings(deadline=None)
@given(ENDPOINTS, st.text(string.ascii_letters + "/?=&.%", max_size=20))
def test_a_whole_url_names_its_endpoint_and_its_path(place: object, path: str) -> None:
    request, _ = parse_head(f"GET http://{place}/{path} HTTP/1.1\r\nHost: other.example\r\n\r\n".encode(), 64)

    assert request.endpoint == place
    assert request.path == f"/{path}"
    assert b"host" not in dict(request.headers)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_a_bad_one(junk: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert parse_head(junk + b"\r\n\r\n", 64)[0].endpoint.port > 0


@settings(deadline=None)
@given(st.lists(st.tuples(LINES, ENDS), max_size=6), st.sampled_from(["GET", "HEAD", "POST", "CONNECT"]))
def test_whatever_is_taken_has_one_host_no_body_and_plain_lines(lines: list[tuple[bytes, bytes]], method: str) -> None:
    target = "a.example:443" if method == "CONNECT" else "http://a.example/"
    head = f"{method} {target} HTTP/1.1\r\n".encode() + b"".join(line + end for line, end in lines) + b"\r\n\r\n"
    try:
        request, _ = parse_head(head, 64)
    except BadRequest:
        return
    first = head.partition(b"\r\n\r\n")[0]
    assert first.count(b"\n") == first.count(b"\r") == first.count(b"\r\n")
    assert first.lower().count(b"\r\nhost: ") == 1
    assert b"content-length: 5" not in first.lower()
    assert b"transfer-encoding" not in first.lower()
    assert request.method != "POST"


@settings(deadline=None)
@given(st.lists(st.tuples(TOKENS, TOKENS), max_size=8), st.lists(TOKENS, max_size=3))
def test_headers_of_one_hop_are_stripped(headers: list[tuple[bytes, bytes]], named: list[bytes]) -> None:
    kept = end_to_end((*headers, (b"connection", b", ".join(named))))

    assert not {name for name, _ in kept} & (HOP_BY_HOP | set(named))
    assert set(kept) <= set(headers)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /path HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET https://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://user:word@a.example/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://user@a.example:80/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://a.example/#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://0177.0.0.1/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT 2130706433:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT user@a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a.example HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT http://a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT a.example:443 HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        ("POST http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        ("GET http://a.example/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 413),
        ("GET http://a.example/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        ("GET http://a.example/ HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
        ("GET http://a.example/ HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n", 400),
        ("GET http://a.example/ HTTP/1.1\r\n" + "X: y\r\n" * 65 + "Host: a\r\n\r\n", 431),
        ("PRI * HTTP/2.0\r\n\r\n", 400),
    ],
)
def test_what_is_no_proper_request_is_refused_with_its_status(head: str, status: int) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(head.encode())

    assert caught.value.status == status


def test_a_host_header_leaves_the_usual_port_out() -> None:
    assert host_header(endpoint("a.example", 80)) == b"a.example"
    assert host_header(endpoint("a.example", 8080)) == b"a.example:8080"
    assert host_header(endpoint("::1", 80)) == b"[::1]"
