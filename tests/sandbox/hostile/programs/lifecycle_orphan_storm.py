"""Makes orphans as fast as it can, so that the runner has to reap without end."""

import os
import time

from attack import contained

end = time.monotonic() + 1.5
made = 0
while time.monotonic() < end:
    try:
        middle = os.fork()
        if middle == 0:
            try:
                for _ in range(8):
                    if os.fork() == 0:
                        os._exit(0)
            except OSError:
                pass
            os._exit(0)
        os.waitpid(middle, 0)
        made += 8
    except OSError:
        pass
contained(f"{made} orphans")
