"""Connects to a listener on the host's loopback address."""

import os
import socket

from attack import refused
from surroundings import is_alone

if is_alone():
    port = int(os.environ["CANARY_PORT"])
    for address in ("127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::ffff:127.0.0.1", "localhost"):
        refused(f"{address}, the host's port", lambda address=address: socket.create_connection((address, port), 2))
