"""Ends its first thread and goes on in another one, so that the process looks like a zombie."""

import ctypes
import threading
import time

from attack import LIBC, contained

threading.Thread(target=time.sleep, args=(600,)).start()
contained("the first thread ends")
LIBC.pthread_exit(ctypes.c_void_p(0))
