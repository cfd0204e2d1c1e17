"""Blocks on its input."""

import sys

from attack import contained

contained(f"read {len(sys.stdin.read())} characters of input to its end")
