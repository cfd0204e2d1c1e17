"""What the programs of the corpus share: how they report, and system calls by name.

A program prints ``contained: ...`` for each attempt that came to nothing and ``ESCAPED: ...`` for each that did not.
"""

import ctypes
import errno
import os
import platform
from collections.abc import Callable

LIBC = ctypes.CDLL(None, use_errno=True)

X86_64 = {
    "clone": 56, "ptrace": 101, "syslog": 103, "ustat": 136, "sysfs": 139, "vhangup": 153, "modify_ldt": 154,
    "pivot_root": 155, "chroot": 161, "sync": 162, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166,
    "swapon": 167, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173,
    "init_module": 175, "delete_module": 176, "quotactl": 179, "io_setup": 206, "lookup_dcookie": 212,
    "timer_create": 222, "clock_settime": 227, "mbind": 237, "set_mempolicy": 238, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "ioprio_set": 251, "migrate_pages": 256, "unshare": 272, "move_pages": 279,
    "perf_event_open": 298, "fanotify_init": 300, "prlimit64": 302, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "syncfs": 306, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "kcmp": 312, "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
}  # fmt: skip
GENERIC = {
    "io_setup": 0, "lookup_dcookie": 18, "ioprio_set": 30, "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51,
    "vhangup": 58, "quotactl": 60, "sync": 81, "acct": 89, "unshare": 97, "kexec_load": 104, "init_module": 105,
    "delete_module": 106, "timer_create": 107, "clock_settime": 112, "syslog": 116, "ptrace": 117, "reboot": 142,
    "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "add_key": 217, "request_key": 218, "keyctl": 219,
    "clone": 220, "swapon": 224, "mbind": 235, "set_mempolicy": 237, "migrate_pages": 238, "move_pages": 239,
    "perf_event_open": 241, "prlimit64": 261, "fanotify_init": 262, "name_to_handle_at": 264,
    "open_by_handle_at": 265, "syncfs": 267, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
    "kcmp": 272, "finit_module": 273, "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294,
}  # fmt: skip
LATER = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442,
    "quotactl_fd": 443, "process_mrelease": 448,
}  # fmt: skip
NUMBERS = (X86_64 if platform.machine() == "x86_64" else GENERIC) | LATER


def contained(what: str) -> None:
    """Reports an attempt that came to nothing."""
    print("contained:", what, flush=True)


def escaped(what: str) -> None:
    """Reports an attempt that had an effect which it must not have."""
    print("ESCAPED:", what, flush=True)


def named(number: int | None) -> str:
    """An error number by its name."""
    return errno.errorcode.get(number or 0, str(number))


def refused(what: str, attempt: Callable[[], object]) -> bool:
    """Makes an attempt that must raise OSError, and reports what came of it."""
    try:
        seen = attempt()
    except OSError as error:
        contained(f"{what}: {named(error.errno)}")
        return True
    escaped(f"{what}: {seen!r}")
    return False


def syscall(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Makes a system call by name; OSError when it fails."""
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(LIBC.syscall(ctypes.c_long(NUMBERS[name]), *values))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def write(path: str, text: str = "1") -> int:
    """Writes into a file that must be there already."""
    fd = os.open(path, os.O_WRONLY)
    try:
        return os.write(fd, text.encode())
    finally:
        os.close(fd)


def fill(path: str, most: int, piece: int = 1 << 20) -> int:
    """Writes zeros into a new file up to ``most`` bytes; how many found room."""
    written = 0
    with open(path, "wb", buffering=0) as file:
        try:
            while written < most:
                written += file.write(b"\0" * piece)
        except OSError as error:
            contained(f"{path} took {written >> 10} KiB: {named(error.errno)}")
    return written
