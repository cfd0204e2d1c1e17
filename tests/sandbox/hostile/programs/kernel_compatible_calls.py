"""Makes system calls through the doors for 32-bit programs, which a filter for 64 bits may not know."""

import ctypes
import mmap
import os
import platform

from attack import LIBC, contained, escaped, named

if platform.machine() != "x86_64":
    contained("there are no such doors on this machine")
    raise SystemExit
# mov eax, 20 (getpid); int 0x80; ret
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.write(writer, str(call()).encode())
    os._exit(0)
os.close(writer)
status = os.waitpid(child, 0)[1]
seen = os.read(reader, 100).decode()
if os.WIFSIGNALED(status):
    contained(f"int 0x80 ends the program with signal {os.WTERMSIG(status)}")
elif int(seen) < 0:
    contained(f"int 0x80: {named(-int(seen))}")
else:
    escaped(f"int 0x80 answers {seen}, the process is {child}")
for number in (39, 101, 272, 321):
    child = os.fork()
    if child == 0:
        ctypes.set_errno(0)
        result = LIBC.syscall(ctypes.c_long(number | 0x40000000), 0, 0, 0, 0, 0)
        os._exit(0 if result == -1 else 1)
    status = os.waitpid(child, 0)[1]
    (contained if status else escaped)("") if False else None
    if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0:
        contained(f"x32 call {number}: {'signal' if os.WIFSIGNALED(status) else 'refused'}")
    else:
        escaped(f"x32 call {number} reaches the kernel")
