"""Leaves a daemon, twice forked and in a session of its own, that writes for ever."""

import os
import time

from attack import contained

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in (0, 1, 2):
            os.close(fd)
        while True:
            with open("/workspace/beat", "a") as file:
                file.write("x")
            time.sleep(0.01)
    os._exit(0)
time.sleep(0.2)
contained("the daemon was left behind")
