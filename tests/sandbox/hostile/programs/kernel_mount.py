"""Mounts file systems, in the old way and in the new one."""

from attack import refused, syscall

for kind in (b"tmpfs", b"proc", b"overlay", b"cgroup", b"cgroup2", b"bpf", b"fuse", b"debugfs"):
    refused(f"mount {kind.decode()}", lambda kind=kind: syscall("mount", b"none", b"/tmp", kind, 0, b""))
refused("bind mount", lambda: syscall("mount", b"/etc", b"/tmp", None, 4096, None))
refused("remount for writing", lambda: syscall("mount", None, b"/", None, 32, None))
refused("umount", lambda: syscall("umount2", b"/proc/sys", 2))
for name in ("fsopen", "open_tree", "move_mount", "mount_setattr", "fspick"):
    refused(name, lambda name=name: syscall(name, 0, 0, 0, 0, 0))
