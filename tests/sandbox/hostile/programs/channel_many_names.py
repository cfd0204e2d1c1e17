"""Leaves as many files as there may be, with the longest names there may be, for the runner to list."""

import os

from attack import contained, named

made = 0
folder = "/workspace"
for _ in range(7):
    folder += "/" + "d" * 240
    os.mkdir(folder)
directory = os.open("/workspace", os.O_RDONLY)
for _ in range(7):
    directory = os.open("d" * 240, os.O_RDONLY, dir_fd=directory)
try:
    for made in range(100_000):
        os.close(os.open(f"{made:0240}", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=directory))
except OSError as error:
    contained(f"{made} files: {named(error.errno)}")
