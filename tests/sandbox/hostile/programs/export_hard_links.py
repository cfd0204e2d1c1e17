"""Leaves hard links to files of others, and many names of one file of its own."""

import os

from attack import contained, refused

for path in ("/etc/passwd", "/etc/shadow", "/usr/bin/python3", "/proc/1/environ", "/etc/hostname"):
    refused(f"link to {path}", lambda path=path: os.link(path, "stolen"))
with open("good.txt", "w") as file:
    file.write("x" * 1000)
for number in range(20):
    os.link("good.txt", f"again{number}")
contained("the links were made")
