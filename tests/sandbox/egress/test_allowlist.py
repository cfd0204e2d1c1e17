"""What the allowlist lets through."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.egress.addresses import inside
from sandbox.egress.allowlist import AllowedHost, Allowlist
from sandbox.egress.endpoint import Endpoint, endpoint
from tests.sandbox.egress.test_endpoint import NAMES, PORTS

ENDPOINTS = st.builds(endpoint, NAMES, PORTS)


@settings(deadline=None)
@given(st.lists(ENDPOINTS, max_size=5), ENDPOINTS)
def test_nothing_is_allowed_but_exact_matches(allowed: list[Endpoint], asked: Endpoint) -> None:
    allowlist = Allowlist(AllowedHost(endpoint=place, named=True) for place in allowed)

    assert (allowlist.objection(asked) is None) == (asked in allowed)


@settings(deadline=None)
@given(ENDPOINTS, st.sampled_from(["a.{}", "a{}", "{}a", "{}.a"]))
def test_neither_a_subdomain_nor_a_longer_name_is_allowed(place: Endpoint, pattern: str) -> None:
    allowlist = Allowlist([AllowedHost(endpoint=place, named=True)])

    assert allowlist.objection(endpoint(pattern.format(place.host), place.port)) is not None


def test_a_refusal_names_the_host_and_the_remedy() -> None:
    objection = Allowlist().objection(endpoint("evil.example", 443))

    assert objection is not None
    assert "evil.example:443" in objection
    assert "SOUNDSTAGE_INSTALL_HOSTS" in objection


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.9", "0.0.0.0", "10.0.0.1", "172.16.9.9", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "100.127.255.255", "169.254.169.254", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
        "fc00::1", "fd12::1", "fe80::1", "ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
        "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "192.0.0.8",
        "2001:0:7f00:1::", "2001::f5ff:fffe",
    ],
)  # fmt: skip
def test_inside_addresses_are_known_and_refused_for_a_default_host(address: str) -> None:
    found = ipaddress.ip_address(address)
    place = endpoint("registry.example", 443)

    assert inside(found)
    assert Allowlist([AllowedHost(endpoint=place, named=False)]).objection_to_address(place, found)
    assert not Allowlist([AllowedHost(endpoint=place, named=True)]).objection_to_address(place, found)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1", "::ffff:1.1.1.1", "2002:101:101::1"]
)
def test_addresses_of_the_outside_are_allowed(address: str) -> None:
    assert inside(ipaddress.ip_address(address)) is None


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_within_ipv6_is_judged_alike(address: ipaddress.IPv4Address) -> None:
    for prefix in (0xFFFF << 32, 0x64FF9B << 96):
        carrier = ipaddress.IPv6Address(prefix | int(address))
        assert bool(inside(carrier)) == bool(inside(address))


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_whatever_the_standard_library_calls_global_or_inside_is_judged_so(address: ipaddress.IPv4Address) -> None:
    protocols = ipaddress.ip_network("192.0.0.0/24")  # some releases of Python call a part of it global
    if address.is_global and not address.is_multicast and address not in protocols:
        assert inside(address) is None
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved:
        assert inside(address)


def test_a_raw_address_is_allowed_where_it_is_named_itself() -> None:
    place = endpoint("127.0.0.1", 8080)

    assert Allowlist([AllowedHost(endpoint=place, named=True)]).objection(place) is None
    assert Allowlist([AllowedHost(endpoint=place, named=False)]).objection(place)
    assert Allowlist([AllowedHost(endpoint=endpoint("localhost", 8080), named=True)]).objection(place)


def test_naming_a_default_host_allows_it_at_an_inside_address() -> None:
    place = endpoint("registry.example", 443)
    both = [AllowedHost(endpoint=place, named=True), AllowedHost(endpoint=place, named=False)]

    assert Allowlist(both).objection_to_address(place, ipaddress.ip_address("10.0.0.1")) is None
