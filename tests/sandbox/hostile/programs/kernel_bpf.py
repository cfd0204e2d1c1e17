"""Loads programs into the kernel."""

import ctypes

from attack import refused, syscall

attributes = ctypes.create_string_buffer(128)
for command in (0, 5, 18):
    refused(f"bpf command {command}", lambda command=command: syscall("bpf", command, attributes, 128))
