"""Looks for the service's keys: in its environment, its files, the kernel's view of every process, and the image."""

import os

from attack import contained, escaped

# It is told the key backwards, so that its own environment is no find.
mark = bytes(reversed(os.environ["CANARY_REVERSED"].encode()))
found, looked = [], 0
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/sys", "/proc/self", "/usr/lib")]
    for name in names:
        path = os.path.join(folder, name)
        if not (os.path.isfile(path) and os.access(path, os.R_OK)) or path == "/proc/kmsg":
            continue
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                data = file.read(1 << 20)
        except OSError:
            continue
        looked += 1
        if mark in data or mark in path.encode():
            found.append(path)
(escaped if found else contained)(f"the key is in {len(found)} of {looked} files: {found[:5]}")
(escaped if mark in repr(dict(os.environ)).encode() else contained)(f"variables: {sorted(os.environ)}")
