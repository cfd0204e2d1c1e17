"""Makes every system call that nobody needs here; each must be refused before it does anything."""

import ctypes

from attack import LIBC, NUMBERS, contained, escaped, named

NEEDED = {
    "clone", "timer_create", "prlimit64", "ioprio_set", "pidfd_send_signal", "pidfd_open", "process_mrelease",
    "sync", "syncfs", "io_setup",
}  # fmt: skip
REFUSALS = {1, 38}
for name in sorted(set(NUMBERS) - NEEDED):
    ctypes.set_errno(0)
    arguments = [ctypes.c_long(-1)] * 6
    result = LIBC.syscall(ctypes.c_long(NUMBERS[name]), *arguments)
    number = ctypes.get_errno()
    if result == -1 and number in REFUSALS:
        contained(f"{name}: {named(number)}")
    else:
        escaped(f"{name} reaches the kernel: {result} {named(number)}")
