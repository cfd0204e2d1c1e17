"""Uses io_uring, which passes by system call filters."""

import ctypes

from attack import refused, syscall

refused("io_uring_setup", lambda: syscall("io_uring_setup", 8, ctypes.create_string_buffer(120)))
refused("io_uring_enter", lambda: syscall("io_uring_enter", 0, 0, 0, 0, None, 0))
refused("io_uring_register", lambda: syscall("io_uring_register", 0, 0, None, 0))
