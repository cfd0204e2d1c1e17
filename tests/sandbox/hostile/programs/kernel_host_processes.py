"""Looks for processes of the host, and signals one whose number it knows."""

import os
import signal

from attack import contained, escaped, refused

processes = {int(name) for name in os.listdir("/proc") if name.isdigit()}
(contained if len(processes) <= 3 else escaped)(f"processes in sight: {sorted(processes)}")
pid = int(os.environ["CANARY_PID"])
for number in (signal.SIGKILL, signal.SIGSTOP, 0):
    if pid not in processes:
        refused(f"signal {int(number)} to a process of the host", lambda number=number: os.kill(pid, number))
for path in ("/proc/1/root/etc/shadow", "/proc/1/ns/mnt", "/proc/1/cwd/x"):
    refused(path, lambda path=path: os.open(path, os.O_RDONLY))
