"""Makes hard links to files of others, follows links in shared folders, and gives its files powers."""

import os

from attack import refused

for path in ("/etc/passwd", "/usr/bin/python3", "/proc/1/environ", "/opt/soundstage/runner/server.py"):
    refused(f"hard link to {path}", lambda path=path: os.link(path, "/workspace/link", follow_symlinks=True))
open("/workspace/program", "w").close()
power = bytes.fromhex("0100000200200000000000000000000000000000")
refused("file capability", lambda: os.setxattr("/workspace/program", "security.capability", power))
refused("trusted attribute", lambda: os.setxattr("/workspace/program", "trusted.overlay.redirect", b"/etc"))
