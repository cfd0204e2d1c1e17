"""Changes what the whole machine shares: its name and its clocks."""

import time

from attack import refused, syscall

refused("sethostname", lambda: syscall("sethostname", b"owned", 5))
refused("setdomainname", lambda: syscall("setdomainname", b"owned", 5))
refused("clock_settime", lambda: time.clock_settime(time.CLOCK_REALTIME, 0.0))
refused("settimeofday", lambda: syscall("settimeofday", None, None))
