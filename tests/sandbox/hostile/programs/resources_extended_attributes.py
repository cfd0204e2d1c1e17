"""Fills the memory of a file system with extended attributes, which are no content."""

import os

from attack import contained, named

total = 0
try:
    for number in range(4000):
        path = f"/workspace/{number}"
        open(path, "w").close()
        for attribute in range(4):
            os.setxattr(path, f"user.{attribute}", b"x" * 16_000)
            total += 16_000
except OSError as error:
    contained(f"{total} bytes of attributes: {named(error.errno)}")
contained(f"{total} bytes of attributes")
