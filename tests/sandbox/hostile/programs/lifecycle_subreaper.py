"""Becomes the parent of its orphans in the runner's place, and leaves siblings that the runner never started."""

import os
import signal
import time

from attack import LIBC, contained, syscall

PR_SET_CHILD_SUBREAPER, CLONE_PARENT = 36, 0x8000
LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
    signal.signal(number, signal.SIG_IGN)
for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1, signal.SIGCHLD, signal.SIGKILL):
    middle = os.fork()
    if middle == 0:
        # The parent of the sibling would get this signal when the sibling ends.
        if syscall("clone", CLONE_PARENT | number, 0, 0, 0, 0) == 0:
            os._exit(0)
        os._exit(0)
    os.waitpid(middle, 0)
for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
    if syscall("clone", CLONE_PARENT | number, 0, 0, 0, 0) == 0:
        os._exit(0)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    os._exit(0)
time.sleep(0.2)
contained("orphans and siblings were left behind")
