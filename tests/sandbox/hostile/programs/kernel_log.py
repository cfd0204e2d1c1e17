"""Reads the kernel's log and memory."""

import os

from attack import contained, refused, syscall

refused("syslog", lambda: syscall("syslog", 3, bytes(4096), 4096))
for path in ("/dev/kmsg", "/proc/kmsg", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/vda", "/dev/sda"):
    refused(path, lambda path=path: os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read(64)
    if not data.strip(b"\0"):
        raise OSError(61, "empty")
    return data


for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware/dmi/tables/DMI"):
    refused(path, lambda path=path: read(path))
try:
    with open("/proc/kallsyms") as file:
        addresses = {line.split()[0].strip("0") for line in file}
    refused(
        "addresses of the kernel",
        lambda: addresses.discard("") or next(iter(addresses)) if addresses - {""} else os.stat("/none"),
    )
except OSError as error:
    contained(f"/proc/kallsyms: {error.strerror}")
