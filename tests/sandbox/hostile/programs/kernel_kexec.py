"""Starts another kernel, or this one again."""

from attack import refused, syscall

refused("kexec_load", lambda: syscall("kexec_load", 0, 0, None, 0))
refused("kexec_file_load", lambda: syscall("kexec_file_load", -1, -1, 0, None, 0))
refused("reboot", lambda: syscall("reboot", 0xFEE1DEAD, 672274793, 0x89ABCDEF, None))
