"""What a namespace holds of the network, looked at before anything tries to leave it."""

import fcntl
import os
import socket
import struct

from attack import contained, escaped

SIOCGIFCONF_NAMES = 0x8912


def interfaces() -> list[str]:
    """The names of the interfaces."""
    return sorted(name for _, name in socket.if_nameindex()) if hasattr(socket, "if_nameindex") else []


def routes() -> list[str]:
    """Every route that leaves the loopback interface."""
    found = []
    for path in ("/proc/net/route", "/proc/net/ipv6_route"):
        if not os.path.exists(path):
            continue
        with open(path) as file:
            for line in file:
                fields = line.split()
                if fields and "Iface" not in fields and "lo" not in (fields[0], fields[-1]):
                    found.append(" ".join(fields))
    return found


def is_alone() -> bool:
    """Reports what there is; whether it is the loopback interface and no more."""
    names, ways = interfaces(), routes()
    alone = set(names) <= {"lo"} and not ways
    (contained if alone else escaped)(f"interfaces {names}, routes {ways}")
    return alone


def up(name: str) -> bool:
    """Whether an interface is up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        answer = fcntl.ioctl(probe, 0x8913, struct.pack("16sH14x", name.encode(), 0))
    return bool(struct.unpack_from("H", answer, 16)[0] & 1)
