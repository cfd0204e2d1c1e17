"""Lets the kernel run a program of its own for every crash."""

from attack import refused, write

refused("core_pattern", lambda: write("/proc/sys/kernel/core_pattern", "|/workspace/x"))
refused("uevent_helper", lambda: write("/sys/kernel/uevent_helper", "/workspace/x"))
refused("binfmt_misc", lambda: write("/proc/sys/fs/binfmt_misc/register", ":x:M::x::/workspace/x:"))
