"""Writes to every setting of the kernel that can be found."""

import os

from attack import contained, escaped

tried, written = 0, []
for top in ("/proc/sys", "/proc/fs", "/proc/irq", "/proc/bus", "/sys"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            tried += 1
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                continue
            written.append(path)
(escaped if written else contained)(f"{len(written)} of {tried} settings can be written: {written[:10]}")
