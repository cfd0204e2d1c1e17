"""Takes inotify watches, epoll entries and timers until the kernel has no more for it."""

import ctypes
import os
import select

from attack import LIBC, contained, named, syscall

watcher = LIBC.inotify_init()
watches = 0
for number in range(10_000):
    os.mkdir(f"/tmp/{number}")
    if LIBC.inotify_add_watch(watcher, f"/tmp/{number}".encode(), 0xFFF) < 0:
        break
    watches += 1
contained(f"{watches} watches: {named(ctypes.get_errno())}")
polls = []
try:
    pairs = [os.pipe()[0] for _ in range(300)]
    while len(polls) < 300:
        polls.append(select.epoll())
        for fd in pairs:
            polls[-1].register(fd)
except OSError as error:
    contained(f"{len(polls)} epoll sets: {named(error.errno)}")
else:
    contained(f"{len(polls)} epoll sets")
timers = 0
try:
    while timers < 200_000:
        syscall("timer_create", 1, None, ctypes.create_string_buffer(8))
        timers += 1
except OSError as error:
    contained(f"{timers} timers: {named(error.errno)}")
