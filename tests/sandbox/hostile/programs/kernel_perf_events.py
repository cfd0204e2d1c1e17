"""Watches the processor's counters, which tell of other containers."""

import ctypes

from attack import refused, syscall

attributes = ctypes.create_string_buffer(bytes([0, 0, 0, 0, 112]), 128)
refused("perf_event_open", lambda: syscall("perf_event_open", attributes, 0, -1, -1, 0))
