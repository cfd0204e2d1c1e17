"""Asks the cloud's metadata service for the machine's keys."""

import socket

from attack import refused
from surroundings import is_alone

if is_alone():
    for address in ("169.254.169.254", "fd00:ec2::254"):
        refused(address, lambda address=address: socket.create_connection((address, 80), 2))
