"""Takes the whole machine's allowance of asynchronous I/O (fs.aio-max-nr), which no container has of its own."""

import ctypes

from attack import refused, syscall

refused("io_setup", lambda: syscall("io_setup", 60_000, ctypes.create_string_buffer(8)))
