"""Makes a file that claims to hold a terabyte."""

import os
import signal

from attack import refused

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for folder in ("/workspace", "/tmp", "/dev/shm"):
    fd = os.open(f"{folder}/sparse", os.O_RDWR | os.O_CREAT)
    refused(f"truncate in {folder}", lambda fd=fd: os.ftruncate(fd, 1 << 40))
    refused(f"write at a terabyte in {folder}", lambda fd=fd: os.pwrite(fd, b"x", 1 << 40))
    refused(f"allocate in {folder}", lambda fd=fd: os.posix_fallocate(fd, 0, 1 << 40))
