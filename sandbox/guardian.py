"""A small process that outlives a killed Soundstage for a moment and removes its containers.

A container that runs ends itself when its owner is gone. One that is created but not started yet has nothing in it that
could: for that one, somebody has to be left. The guardian is told the name of each container before it is created and
after it is removed; when its input ends, it removes what is left, and exits.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import time

from sandbox.uninterrupted import in_thread

PATIENCE_S = 5.0
"""How long a container whose creation may be under way is looked for."""
PAUSE_S = 0.2


class Guardian:
    """The owner's end. The process starts with the first container, in a session of its own."""

    def __init__(self, host: str | None) -> None:
        self._host = host
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = asyncio.Lock()

    async def watch(self, name: str) -> None:
        """Says that a container of that name is about to be created."""
        async with self._starting:
            if self._process is None:
                self._process = await in_thread(self._start, self._keep)
        self._say(f"+{name}\n")

    def _keep(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def forget(self, name: str) -> None:
        """Says that the container is gone."""
        self._say(f"-{name}\n")

    async def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            process, self._process = self._process, None
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            await asyncio.to_thread(process.wait)

    def _start(self) -> subprocess.Popen[bytes]:
        code = f"import sys; sys.path[:0] = {sys.path!r}; from sandbox.guardian import main; main()"
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        if self._host:
            environment["DOCKER_HOST"] = self._host
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def _say(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            # A guardian that was killed is no reason to fail: the containers' own deadlines remain.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


_PASSED = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "COVERAGE_PROCESS_CONFIG")


def main() -> None:
    """Listens until the input ends, then removes what is left."""
    left: dict[str, None] = {}
    for line in sys.stdin:
        name = line[1:].strip()
        if line.startswith("+"):
            left[name] = None
        else:
            left.pop(name, None)
    if left:
        remove(list(left))


def remove(names: list[str]) -> None:
    """Removes containers by name; one that is not there yet is looked for again for a while."""
    import docker
    import docker.errors

    with contextlib.closing(docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto")) as client:
        end = time.monotonic() + PATIENCE_S
        while names and time.monotonic() < end:
            missing = []
            for name in names:
                try:
                    client.remove_container(name, v=True, force=True)
                except docker.errors.NotFound:
                    missing.append(name)
                except docker.errors.APIError as error:
                    if error.status_code != 409:
                        missing.append(name)
            names = missing
            if names:
                time.sleep(PAUSE_S)
