"""Runs a program that was never in a file system, to pass by what looks at files."""

import os

from attack import contained, escaped

memory = os.memfd_create("program", 0)
with open("/bin/cat", "rb") as file:
    os.write(memory, file.read())
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.dup2(writer, 1)
    os.execve(memory, ["cat", "/proc/self/status"], {})
os.close(writer)
os.waitpid(child, 0)
with open(reader) as file:
    status = dict(line.split(":", 1) for line in file.read().splitlines())
powers = [status[name].strip() for name in ("CapInh", "CapPrm", "CapEff")]
(contained if {int(power, 16) for power in powers} == {0} else escaped)(f"it runs, with the powers {powers}")
