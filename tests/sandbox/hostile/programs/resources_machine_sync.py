"""Makes the whole machine write its caches to disk, again and again."""

from attack import contained, escaped, syscall

for _ in range(1000):
    syscall("sync")
try:
    # A file system is named by a descriptor: one that is none is an error for the kernel, and not for a filter.
    syscall("syncfs", -1)
except OSError as error:
    escaped(f"syncfs reaches the kernel: {error.strerror}")
else:
    contained("sync and syncfs do nothing")
