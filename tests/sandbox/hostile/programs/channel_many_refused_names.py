"""Leaves as many named pipes and links as there may be, with long names, for the runner to list as refused."""

import os

from attack import contained, named

made = 0
directory = os.open("/workspace", os.O_RDONLY)
for _ in range(7):
    os.mkdir("é" * 120, dir_fd=directory)
    directory = os.open("é" * 120, os.O_RDONLY, dir_fd=directory)
try:
    for made in range(100_000):
        if made % 2:
            os.symlink("x" * 200, f"{made:0240}", dir_fd=directory)
        else:
            os.mkfifo(f"{made:0240}", dir_fd=directory)
except OSError as error:
    contained(f"{made} pipes and links: {named(error.errno)}")
