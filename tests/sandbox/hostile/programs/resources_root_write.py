"""Looks for a folder outside the workspace that takes files."""

import os

from attack import contained, escaped

written = []
for folder, folders, _ in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
    try:
        open(os.path.join(folder, "probe"), "w").close()
    except OSError:
        continue
    os.unlink(os.path.join(folder, "probe"))
    written.append(folder)
if more := sorted(set(written) - {"/workspace", "/tmp", "/dev/shm", "/dev/mqueue"}):
    escaped(f"files can be made in {more}")
contained(f"files can be made in {sorted(written)} alone")
