"""Becomes root by programs that are setuid in the image, and by making one."""

import os
import shutil
import stat
import subprocess

from attack import contained, escaped, refused

programs = []
for folder, _, names in os.walk("/usr"):
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID):
            programs.append(path)
for attempt in (["su", "-c", "id -u"], ["mount", "-t", "tmpfs", "none", "/tmp"], ["newgrp", "root"]):
    if shutil.which(attempt[0]):
        done = subprocess.run(attempt, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        root = done.returncode == 0 and (attempt[0] != "su" or done.stdout.strip() == "0")
        (escaped if root else contained)(f"{attempt[0]}: {done.returncode}")
shutil.copy("/usr/bin/id", "/workspace/id")
os.chmod("/workspace/id", 0o6755)
same = subprocess.run(["/workspace/id", "-u"], capture_output=True, text=True, check=False).stdout.strip()
(contained if same == str(os.getuid()) else escaped)("a setuid program of its own changes nothing")
for number in (0, 1000, os.getuid() + 1):
    refused(f"setuid {number}", lambda number=number: os.setuid(number))
    refused(f"setgid {number}", lambda number=number: os.setgid(number))
    refused(f"chown {number}", lambda number=number: os.chown("/workspace/id", number, number))
refused("setgroups", lambda: os.setgroups([0]))
contained(f"{len(programs)} setuid programs in the image")
