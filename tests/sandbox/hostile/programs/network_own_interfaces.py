"""Makes interfaces, addresses and routes of its own, and listens in on what passes."""

import fcntl
import os
import socket
import struct

from attack import contained, refused
from surroundings import is_alone

if is_alone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        up = struct.pack("16sH14x", b"eth0", 1)
        refused("bring eth0 up", lambda: fcntl.ioctl(probe, 0x8914, up))
        address = struct.pack("16sH2s4s8x", b"lo", socket.AF_INET, b"\0\0", bytes([192, 0, 2, 1]))
        refused("another address", lambda: fcntl.ioctl(probe, 0x8916, address))
        refused("promiscuous", lambda: fcntl.ioctl(probe, 0x8914, struct.pack("16sH14x", b"lo", 0x100)))
    # RTM_NEWLINK of kind dummy: header, ifinfomsg, IFLA_LINKINFO(IFLA_INFO_KIND)
    kind = struct.pack("HH", 9, 1) + b"dummy\0\0\0"
    info = struct.pack("HH", 4 + len(kind), 18) + kind
    body = struct.pack("BxHiII", 0, 0, 0, 0, 0) + info
    try:
        channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        channel.send(struct.pack("IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
        answer = channel.recv(4096)
        number = -struct.unpack_from("i", answer, 16)[0]
        refused("a new interface", lambda: (_ for _ in ()).throw(OSError(number, os.strerror(number))) if number else 0)
    except OSError as error:
        contained(f"netlink: {error.strerror}")
    is_alone()
