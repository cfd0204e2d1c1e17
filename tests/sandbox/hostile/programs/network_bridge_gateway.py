"""Connects to a listener of the host through the address of the bridge."""

import os
import socket

from attack import contained, refused
from surroundings import is_alone

if is_alone():
    gateway, port = os.environ["CANARY_GATEWAY"], int(os.environ["CANARY_PORT"])
    refused("the bridge's address", lambda: socket.create_connection((gateway, port), 2))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        refused("a datagram to the bridge", lambda: datagrams.sendto(b"x", (gateway, port)))
    for name in ("host.docker.internal", "gateway.docker.internal"):
        try:
            socket.getaddrinfo(name, 80)
        except socket.gaierror as error:
            contained(f"{name}: {error.strerror}")
