"""Stops the kernel in the middle of a copy, the helper of many exploits."""

from attack import refused, syscall

refused("userfaultfd", lambda: syscall("userfaultfd", 0))
refused("userfaultfd for users", lambda: syscall("userfaultfd", 1))
