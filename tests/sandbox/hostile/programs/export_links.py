"""Leaves links that lead out: absolute, upward, to itself, to a folder, to the kernel's files."""

import os

from attack import contained

TARGETS = {
    "absolute": "/etc/passwd", "upward": "../../../etc/passwd", "itself": "itself", "folder": "/", "runner": "/proc/1",
    "own": "/proc/self/environ", "chain": "absolute", "device": "/dev/zero", "long": "x" * 4000, "empty\tname": ".",
}  # fmt: skip
for name, target in TARGETS.items():
    os.symlink(target, name)
os.mkdir("real")
open("real/good.txt", "w").close()
os.symlink("real", "alias")
os.rename("real/good.txt", "good.txt")
contained("the links were made")
