"""Reads and writes a file of the host by every way round the root directory."""

import glob
import os

from attack import contained, refused

canary = os.environ["CANARY_FILE"]
ways = [
    canary, f"/proc/1/root{canary}", f"/proc/self/root/../../..{canary}", f"/proc/1/cwd/../../../..{canary}",
    *(f"{path}/../../../../../..{canary}" for path in glob.glob("/proc/self/fd/*")), f"/host{canary}", f"/mnt{canary}",
]  # fmt: skip
for way in ways:
    refused(way[:60], lambda way=way: os.open(way, os.O_RDONLY))
    refused(f"write {way[:60]}", lambda way=way: os.open(way, os.O_WRONLY))
with open("/proc/self/mountinfo") as file:
    mounts = [line.split() for line in file]
roots = [f"{fields[3]} on {fields[4]}" for fields in mounts if fields[3] != "/" and "/docker/containers/" in fields[3]]
contained(f"files of the engine that are mounted: {roots}")
for path in ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf"):
    refused(f"write {path}", lambda path=path: os.open(path, os.O_WRONLY | os.O_CREAT))
