"""Loads and unloads modules."""

from attack import refused, syscall, write

refused("init_module", lambda: syscall("init_module", b"x", 1, b""))
refused("finit_module", lambda: syscall("finit_module", 0, b"", 0))
refused("delete_module", lambda: syscall("delete_module", b"overlay", 0))
refused("modprobe path", lambda: write("/proc/sys/kernel/modprobe", "/workspace/x"))
