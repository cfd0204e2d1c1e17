"""Leaves files whose names break lines, terminals, commands, encodings and file systems."""

import contextlib
import os

from attack import contained

NAMES = [
    b"line\nbreak", b"-rf", b"--upload-pack=x", b"\xff\xfe", b"\x1b]0;owned\x07", b"a\\..\\b", b"tab\there", b"CON",
    b"space ", b"dot.", b"\xe2\x80\xae" + b"gnp.exe", b"a:b", b"\xed\xa0\x80", b"~", b"$(id)", b"`id`", b";id",
    b"'\"", b"*", b"a|b", b"\xc2\x85next", b"aux.txt", b"nul", b"\x7f", b"x" * 255,
]  # fmt: skip
made = 0
for name in NAMES:
    with contextlib.suppress(OSError):
        open(name, "w").close()
        made += 1
folder = os.open(".", os.O_RDONLY)
for _ in range(17):
    os.mkdir("d" * 250, dir_fd=folder)
    folder = os.open("d" * 250, os.O_RDONLY, dir_fd=folder)
os.close(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=folder))
open("good.txt", "w").close()
contained(f"{made} names")
