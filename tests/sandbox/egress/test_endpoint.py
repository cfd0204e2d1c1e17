"""Hosts and ports in one normal form."""

import ipaddress
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.egress.endpoint import InvalidEndpoint, endpoint, endpoint_of, parse_authority

LABEL = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "example"]))
PORTS = st.integers(1, 65_535)


@settings(deadline=None)
@given(NAMES, PORTS)
def test_case_and_a_dot_at_the_end_make_no_difference(name: str, port: int) -> None:
    assert endpoint(name.upper(), port) == endpoint(name.lower() + ".", port)


@settings(deadline=None)
@given(NAMES, PORTS)
def test_what_was_written_is_read_again(name: str, port: int) -> None:
    place = endpoint(name, port)

    assert parse_authority(str(place)) == place


@settings(deadline=None)
@given(st.ip_addresses(), PORTS)
def test_an_address_is_read_again(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    place = endpoint(str(address), port)

    assert parse_authority(str(place)) == place
    assert place.address == address


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_an_endpoint_in_normal_form_or_an_invalid_one(text: str) -> None:
    try:
        place = parse_authority(text)
    except InvalidEndpoint:
        return
    assert parse_authority(str(place)) == place
    assert place.host == place.host.lower()
    assert place.host.isascii()
    assert "@" not in text


@settings(deadline=None)
@given(st.text(string.digits + "abcdefx.", min_size=1, max_size=24))
def test_a_host_that_ends_in_a_number_is_four_decimal_numbers_or_refused(host: str) -> None:
    last = host.lower().removesuffix(".").rpartition(".")[2]
    try:
        place = endpoint(host, 443)
    except InvalidEndpoint:
        return
    if last.isdigit() or re.fullmatch("0x[0-9a-f]*", last):
        assert str(ipaddress.IPv4Address(place.host)) == place.host


@pytest.mark.parametrize(
    "host",
    [
        "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "127.1", "127.0.0.01", "1.2.3.4.5", "256.1.1.1",
        "example.0x10", "0x", "127.0.0.1%00", "a..b", "-a.example", "a-.example", ".", "", "a b", "a/b", "a\\b",
        "a%2eb", "x" * 64 + ".example", "a." * 130, "::1%eth0", ":::", "fe80::1%1", "\u2024", "a\u0000b", "a\nb",
    ],
)  # fmt: skip
def test_hosts_in_unusual_forms_are_refused(host: str) -> None:
    with pytest.raises(InvalidEndpoint):
        endpoint(host, 443)


@pytest.mark.parametrize(
    "text",
    ["a", "a:", ":443", "a:0", "a:65536", "a:-1", "a:+1", "a:1_0", "a: 1", "a:١", "a:443:1", "u@a:1", "u:p@a:1",
     "[::1]", "[::1", "[::1]x:1", "[a]:1", "::1:1", "a:00000443"],
)  # fmt: skip
def test_authorities_in_unusual_forms_are_refused(text: str) -> None:
    with pytest.raises(InvalidEndpoint):
        parse_authority(text)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://Registry.Example/simple", "registry.example:443"),
        ("http://registry.example./x", "registry.example:80"),
        ("https://user:word@registry.example:8443/", "registry.example:8443"),
        ("https://bücher.example/", "xn--bcher-kva.example:443"),
        ("https://BÜCHER.example/", "xn--bcher-kva.example:443"),
        ("https://[::1]:8080/simple", "[::1]:8080"),
        ("https://10.1.2.3/simple", "10.1.2.3:443"),
    ],
)
def test_a_url_of_a_configuration_leads_to_an_endpoint(url: str, found: str) -> None:
    assert str(endpoint_of(url)) == found


@pytest.mark.parametrize(
    "url", ["file:///x", "registry.example", "https://", "https://a:x/", "ftp://a/", "https://[::1/", "//a/"]
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidEndpoint):
        endpoint_of(url)
