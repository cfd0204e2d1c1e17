"""Makes namespaces of its own, in which it would be root."""

from attack import refused, syscall

KINDS = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000, "process": 0x20000000, "cgroup": 0x2000000}
for name, flag in KINDS.items():
    refused(f"unshare {name}", lambda flag=flag: syscall("unshare", flag))
    refused(f"clone {name}", lambda flag=flag: syscall("clone", flag | 17, 0, 0, 0, 0))
refused("clone3", lambda: syscall("clone3", None, 88))
with open("/proc/self/ns/user") as file:
    refused("setns", lambda: syscall("setns", file.fileno(), 0))
