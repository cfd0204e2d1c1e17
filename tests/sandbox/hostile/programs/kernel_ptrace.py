"""Debugs another process: a child of its own, and the runner."""

import ctypes
import os
import time

from attack import refused, syscall

ATTACH, SEIZE = 16, 0x4206
area = ctypes.create_string_buffer(64)
child = os.fork()
if child == 0:
    time.sleep(60)
for name, pid in (("child", child), ("runner", 1)):
    refused(f"attach to the {name}", lambda pid=pid: syscall("ptrace", ATTACH, pid, 0, 0))
    refused(f"seize the {name}", lambda pid=pid: syscall("ptrace", SEIZE, pid, 0, 0))
    for call in ("process_vm_readv", "process_vm_writev"):
        refused(f"{call} of the {name}", lambda call=call, pid=pid: syscall(call, pid, area, 1, area, 1, 0))
