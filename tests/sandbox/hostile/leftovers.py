"""What containers could leave behind on the host: processes, control groups, mounts, files, descriptors."""

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.sandbox.docker_place import until


class Leftovers:
    """Remembers every container of a test and looks for traces of it after its end."""

    def __init__(self, temporary: Path) -> None:
        temporary.mkdir()
        self._temporary = temporary
        self._usual = tempfile.tempdir
        tempfile.tempdir = str(temporary)
        self._descriptors = self._open_descriptors()
        self._ids: set[str] = set()
        self._uids: set[int] = set()

    def watch(self, inspected: dict[str, Any]) -> None:
        """Remembers a container by what the engine says of it."""
        self._ids.add(inspected["Id"])
        self._uids.add(int(inspected["Config"]["Cmd"][1]))

    def close(self) -> None:
        """Temporary files go where they usually go."""
        tempfile.tempdir = self._usual

    async def none_left(self) -> None:
        """Waits until nothing is left; the test's own time limit is the end of its patience."""
        assert self._ids, "no container was seen"
        await until(lambda: not self._processes() and not self._groups() and not self._mounts())
        assert list(self._temporary.iterdir()) == [], "temporary files were left behind"
        await until(lambda: self._open_descriptors() <= self._descriptors)

    def _processes(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                uid = entry.stat().st_uid
            except OSError:
                continue
            if uid in self._uids or any(container in command for container in self._ids):
                found.append(int(entry.name))
        return found

    def _groups(self) -> list[str]:
        """Control groups named after a container, in either layout."""
        root = Path("/sys/fs/cgroup")
        patterns = [
            f"{above}{name}" for name in self._ids for above in ("docker/", "*/docker/", "system.slice/docker-")
        ]
        return [str(path) for pattern in patterns for path in root.glob(f"{pattern}*")]

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in lines if any(container in line for container in self._ids)]

    @staticmethod
    def _open_descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))
