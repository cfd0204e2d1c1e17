"""Makes the whole machine write its caches to disk, again and again."""

from attack import contained, escaped, syscall

try:
    for _ in range(1000):
        syscall("sync")
except OSError as error:
    contained(f"sync: {error.strerror}")
try:
    # A file system is named by a descriptor: one that is none is an error for the kernel, and not for a filter.
    syscall("syncfs", -1)
except OSError as error:
    (escaped if error.errno == 9 else contained)(f"syncfs: {error.strerror}")
else:
    contained("sync and syncfs do nothing")
