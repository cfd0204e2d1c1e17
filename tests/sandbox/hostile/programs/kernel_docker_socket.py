"""Looks for the socket of a container engine, and for any other socket or pipe to the outside."""

import os
import stat

from attack import contained, escaped, refused

for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock"):
    refused(path, lambda path=path: os.stat(path))
found = []
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
    for name in names:
        path = os.path.join(folder, name)
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            continue
        if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode) or stat.S_ISBLK(mode):
            found.append(path)
(escaped if found else contained)(f"sockets, pipes and disks: {found}")
