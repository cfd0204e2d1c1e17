"""Leaves named pipes, sockets and device nodes where files are expected."""

import os
import socket
import stat

from attack import contained, refused

os.mkfifo("pipe")
os.mkfifo("pipe.py")
socket.socket(socket.AF_UNIX).bind("socket")
for name, kind, number in (("memory", stat.S_IFCHR, (1, 1)), ("disk", stat.S_IFBLK, (254, 0))):
    refused(name, lambda name=name, kind=kind, number=number: os.mknod(name, kind | 0o666, os.makedev(*number)))
open("good.txt", "w").close()
contained("they were made")
