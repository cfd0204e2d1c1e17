"""Fills /dev/shm."""

from attack import escaped, fill

if fill("/dev/shm/fill", 64 << 20) > 16 << 20:
    escaped("/dev/shm takes more than 16 MiB")
