"""Changes the root directory."""

import os

from attack import refused, syscall

refused("pivot_root", lambda: syscall("pivot_root", b"/workspace", b"/workspace"))
refused("chroot", lambda: os.chroot("/workspace"))
