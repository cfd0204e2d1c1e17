"""Reads the runner's memory, descriptors and secrets."""

import glob
import os

from attack import refused, syscall

for name in ("mem", "environ", "maps", "smaps", "auxv", "stack", "syscall", "personality", "io", "pagemap"):

    def read(name: str = name) -> bytes:
        with open(f"/proc/1/{name}", "rb") as file:
            data = file.read(16)
        if not data:
            raise OSError(61, "empty")
        return data

    refused(f"/proc/1/{name}", read)
for name in ("fd", "fdinfo", "map_files", "ns"):
    refused(f"/proc/1/{name}", lambda name=name: os.listdir(f"/proc/1/{name}") or None)
for number in range(12):
    for flags in (os.O_RDONLY, os.O_WRONLY):
        path = f"/proc/1/fd/{number}"
        refused(f"{path} {flags}", lambda path=path, flags=flags: os.open(path, flags | os.O_NONBLOCK))
for task in glob.glob("/proc/1/task/*"):
    refused(f"{task}/fd/0", lambda task=task: os.open(f"{task}/fd/0", os.O_RDONLY | os.O_NONBLOCK))
refused("process_vm_readv", lambda: syscall("process_vm_readv", 1, 0, 0, 0, 0, 0))
refused("pidfd_getfd", lambda: syscall("pidfd_getfd", syscall("pidfd_open", 1, 0), 0, 0))
refused("kcmp", lambda: syscall("kcmp", 1, os.getpid(), 0, 0, 0))
refused("move_pages", lambda: syscall("move_pages", 1, 0, 0, 0, 0, 0))
