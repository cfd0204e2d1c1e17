"""Spins past the deadline."""

while True:
    pass
