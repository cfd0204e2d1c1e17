"""What a sandbox uses: CPU time, memory, bytes written, kills for want of memory.

The control group says it best (version 1 or 2); where its files are missing, as under gVisor, what the ended children
used is summed up instead, and what cannot be known is None.
"""

from __future__ import annotations

import os
import resource

from .lean import Suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONTROL_GROUP = "/sys/fs/cgroup"
CPU = ("cpu.stat", "cpuacct/cpuacct.usage")
MEMORY = ("memory.current", "memory/memory.usage_in_bytes")
PEAK = ("memory.peak", "memory/memory.max_usage_in_bytes")
KILLS = ("memory.events", "memory/memory.oom_control")
"""Files of the control group, of version 2 and of version 1."""


class Reading:
    """Totals since the sandbox began: seconds, bytes, counts. ``memory`` is what is in use now."""

    def __init__(self, cpu_s: float, memory: int | None, peak: int | None, written: int | None, oom_kills: int) -> None:
        self.cpu_s, self.memory, self.peak, self.written, self.oom_kills = cpu_s, memory, peak, written, oom_kills


class Meter:
    """Reads the totals. Its files stay open: opening them would cost more than reading them.

    ``group`` is the folder of a control group that holds nothing but the sandbox, None where there is none.
    """

    def __init__(self, group: str | None) -> None:
        self._cpu, self._memory, self._peak, self._kills = (
            None if group is None else _open([os.path.join(group, name) for name in names])
            for names in (CPU, MEMORY, PEAK, KILLS)
        )
        self._io = _open(["/proc/self/io"])
        self._reaped_s = 0.0
        self._largest = 0

    def reaped(self, used: Any) -> None:
        """Counts a child that has ended (``used`` is its struct rusage)."""
        self._reaped_s += used.ru_utime + used.ru_stime
        self._largest = max(self._largest, used.ru_maxrss * 1024)

    def read(self, own_written: int) -> Reading:
        """The totals now; ``own_written`` are bytes that the runner itself has written."""
        written = _field(self._io, "wchar")
        return Reading(
            cpu_s=self._cpu_s(),
            memory=_field(self._memory, ""),
            peak=_field(self._peak, ""),
            written=None if written is None else max(0, written - own_written),
            oom_kills=_field(self._kills, "oom_kill") or 0,
        )

    def _cpu_s(self) -> float:
        own = resource.getrusage(resource.RUSAGE_SELF)
        used = _field(self._cpu, "usage_usec")
        if used is not None:
            return used / 1e6 - own.ru_utime - own.ru_stime
        used = _field(self._cpu, "")
        if used is not None:
            return used / 1e9 - own.ru_utime - own.ru_stime
        return self._reaped_s

    def largest(self) -> int:
        """The most memory that one process had, of those that ended since the last call (bytes)."""
        largest, self._largest = self._largest, 0
        return largest


def usage(before: Reading, after: Reading, largest: int) -> dict[str, float | int | None]:
    """What was used between two readings: ``cpu_s``, ``peak_memory``, ``written``.

    Where an earlier command needed more memory than this one, the peak is not known exactly: it is the most that was
    seen at its ends and in one of its processes.
    """
    peak: int | None = None
    if after.peak is not None and before.peak is not None and after.peak > before.peak:
        peak = after.peak
    else:
        seen = [value for value in (before.memory, after.memory, largest or None) if value is not None]
        peak = max(seen) if seen else None
    written = None
    if after.written is not None and before.written is not None:
        written = max(0, after.written - before.written)
    return {"cpu_s": max(0.0, after.cpu_s - before.cpu_s), "peak_memory": peak, "written": written}


def _open(names: list[str]) -> int | None:
    for name in names:
        with Suppress(OSError):
            return os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    return None


def _field(fd: int | None, key: str) -> int | None:
    """The number after ``key`` in an open file of keys and numbers, or the only number when the key is empty."""
    if fd is None:
        return None
    try:
        text = os.pread(fd, 1 << 12, 0).decode("ascii")
    except (OSError, ValueError):
        return None
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name.rstrip(":") == key and value.isdigit():
            return int(value)
    return None
