"""Opens packet sockets."""

import socket

from attack import refused

for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
    refused(f"AF_PACKET {kind.name}", lambda kind=kind: socket.socket(17, kind, 0x0300))
