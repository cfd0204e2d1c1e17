"""Writes single bytes to both streams in turn, each of which could become a message of its own."""

import os

while True:
    os.write(1, b"x")
    os.write(2, b"y")
