"""Ends, and leaves its output open in a daemon and in flight inside a socket that nobody reads."""

import array
import os
import socket
import time

from attack import contained

one, other = socket.socketpair()
one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2, one.fileno(), other.fileno()]))])
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
contained("the output is held open")
