"""Which addresses of the network are somebody's inside."""

import ipaddress

from sandbox.egress.endpoint import Address

INSIDE = {
    ipaddress.ip_network(network): what
    for network, what in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::/96", "unspecified, loopback or IPv4-compatible"),
        ("64:ff9b:1::/48", "local NAT64"),
        ("100::/64", "discard-only"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
}
"""Networks that nothing outside can lie in. Those for documentation and benchmarks are not among them: nobody's inside
has them, and where a name leads there, the network itself answers for that name on purpose (a transparent mirror)."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def inside(address: Address) -> str | None:
    """What kind of inside address it is, or None for one that lies outside.

    An IPv6 address that carries an IPv4 address (mapped, 6to4, Teredo, NAT64) is judged by that as well.
    """
    for network, what in INSIDE.items():
        if address.version == network.version and address in network:
            return what
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    kinds = [kind for carried in _carried(address) if (kind := inside(carried))]
    return f"{kinds[0]}, as IPv4 within IPv6" if kinds else None


def _carried(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [found for found in carried if found is not None]
