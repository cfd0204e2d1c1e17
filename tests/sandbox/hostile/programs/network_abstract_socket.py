"""Connects to a socket of the host that has a name but no file."""

import os
import socket

from attack import contained, refused

name = "\0" + os.environ["CANARY_NAME"]
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    client = socket.socket(socket.AF_UNIX, kind)
    refused(f"abstract socket {kind.name}", lambda client=client: client.connect(name))
if os.path.exists("/proc/net/unix"):
    with open("/proc/net/unix") as file:
        seen = [line.split()[-1] for line in file if "@" in line]
    contained(f"abstract sockets in sight: {len(seen)}")
