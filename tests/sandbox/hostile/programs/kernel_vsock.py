"""Opens a socket to the machine's hypervisor."""

import socket

from attack import refused

for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    refused(f"AF_VSOCK {kind.name}", lambda kind=kind: socket.socket(40, kind))
