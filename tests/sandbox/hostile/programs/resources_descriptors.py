"""Opens files until there are no more descriptors, and asks for a higher limit."""

import os
import resource

from attack import contained, escaped, named, refused

opened = []
try:
    while len(opened) < 5000:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    contained(f"{len(opened)} descriptors: {named(error.errno)}")
else:
    escaped(f"{len(opened)} descriptors")
for fd in opened[:50]:
    os.close(fd)


def raise_limit() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))
    except ValueError as error:
        raise OSError(1, str(error)) from None


refused("a higher limit of descriptors", raise_limit)
