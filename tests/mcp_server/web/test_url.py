"""URLs in one normal form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.web.url import parse_url
from sandbox.egress.endpoint import InvalidEndpoint
from sandbox.egress.refusal import BadRequest


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://a.example", "https://a.example/"),
        (" HTTP://A.Example.:80/x?y=1#z ", "http://a.example/x?y=1"),
        ("https://a.example:8443?q=a%20b", "https://a.example:8443/?q=a%20b"),
        ("http://bücher.example/ä?ö", "http://xn--bcher-kva.example/%C3%A4?%C3%B6"),
        ("http://[2606:4700::1]/", "http://[2606:4700::1]/"),
        ("http://a.example/\ud800", "http://a.example/?"),
    ],
)
def test_a_url_is_put_in_its_normal_form(text: str, normal: str) -> None:
    assert str(parse_url(text)) == normal
    assert str(parse_url(normal)) == normal


@pytest.mark.parametrize(
    "text",
    [
        "", "a.example", "//a.example", "ftp://a.example", "file:///etc/passwd", "gopher://a.example/", "http:/a",
        "http://", "http://user@a.example/", "http://a.example@b.example/",
        "http://a.example\\@b.example/", "http://a.example/\r\nX: y", "http://a.example /", "http://a.example:99999/",
        "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://127.1/", "http://127.0.0.1.1/",
        "http://[::1%25eth0]/", "http://a..example/", "http://-a.example/", "https://a.example/" + "x" * 9000,
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises((BadRequest, InvalidEndpoint)):
        parse_url(text)


@given(st.text() | st.text(alphabet="htps:/@[]%?#.0127x\\ \t").map("http://a.example{}".format))
def test_any_text_is_a_plain_url_that_stays_as_it_is_or_is_refused(text: str) -> None:
    try:
        normal = str(parse_url(text))
    except (BadRequest, InvalidEndpoint):
        return
    assert normal.isascii()
    assert normal.isprintable()
    assert " " not in normal
    assert str(parse_url(normal)) == normal
