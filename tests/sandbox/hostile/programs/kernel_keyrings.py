"""Reads and adds keys: keyrings know no container."""

import ctypes

from attack import refused, syscall

refused("keyctl", lambda: syscall("keyctl", 0, -3, 0))
refused("add_key", lambda: syscall("add_key", b"user", b"canary", ctypes.create_string_buffer(8), 8, -3))
refused("request_key", lambda: syscall("request_key", b"user", b"canary", None, -3))
