"""Connects to a neighbour's listeners, and looks for what the neighbour left in shared places."""

import os
import socket

from attack import contained, refused
from surroundings import is_alone

if is_alone():
    for address in ("127.0.0.1", "::1"):
        refused(
            f"the neighbour's port on {address}", lambda address=address: socket.create_connection((address, 4444), 2)
        )
    client = socket.socket(socket.AF_UNIX)
    refused("the neighbour's abstract socket", lambda: client.connect("\0neighbour"))
    for path in ("/dev/shm/neighbour", "/tmp/neighbour", "/workspace/neighbour", "/dev/mqueue/neighbour"):
        refused(path, lambda path=path: os.stat(path))
    for kind in ("shm", "msg", "sem"):
        path = f"/proc/sysvipc/{kind}"
        if os.path.exists(path):
            with open(path) as file:
                contained(f"{len(file.readlines()) - 1} of {kind} in sight")
