"""Presses the magic key."""

from attack import refused, write

refused("sysrq-trigger", lambda: write("/proc/sysrq-trigger", "b"))
refused("sysrq", lambda: write("/proc/sys/kernel/sysrq"))
