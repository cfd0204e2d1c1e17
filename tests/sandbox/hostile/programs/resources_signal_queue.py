"""Queues real-time signals at itself until the kernel has no more room for it."""

import ctypes
import os
import signal

from attack import LIBC, contained, escaped, named

signal.pthread_sigmask(signal.SIG_BLOCK, [40])
queued = 0
while queued < 500_000 and LIBC.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)) == 0:
    queued += 1
(escaped if queued == 500_000 else contained)(f"{queued} signals: {named(ctypes.get_errno())}")
