"""What stands on the host during an attack, and must be as it was after it."""

import asyncio
import contextlib
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docker

CONTENT = "nobody changes this\n"


class Canaries:
    """A file, a process, and listeners on the loopback address, on the bridge, and under an abstract name."""

    def __init__(self, file: Path, gateway: str) -> None:
        file.parent.mkdir()
        self.file = file
        self.file.write_text(CONTENT)
        self.file.chmod(0o666)
        self._before = self._look()
        self.process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        self.gateway = gateway
        self.name = f"soundstage-canary-{secrets.token_hex(8)}"
        loopback = socket.create_server(("127.0.0.1", 0))
        self.port: int = loopback.getsockname()[1]
        self._listeners = [loopback, *self._on_bridge(), self._by_name()]
        for listener in self._listeners:
            listener.setblocking(False)

    def _on_bridge(self) -> list[socket.socket]:
        # An engine on another machine has its bridge there.
        with contextlib.suppress(OSError):
            return [socket.create_server((self.gateway, self.port))]
        return []

    def _by_name(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("\0" + self.name)
        listener.listen()
        return listener

    def environment(self) -> dict[str, str]:
        """What the programs are told, so that they need not search."""
        return {
            "CANARY_FILE": str(self.file),
            "CANARY_PID": str(self.process.pid),
            "CANARY_PORT": str(self.port),
            "CANARY_GATEWAY": self.gateway,
            "CANARY_NAME": self.name,
        }

    def _look(self) -> tuple[int, int, int, int, str]:
        seen = self.file.stat()
        return seen.st_mode, seen.st_uid, seen.st_nlink, seen.st_mtime_ns, self.file.read_text()

    def check(self) -> None:
        """AssertionError when one of them is not as it was."""
        assert self._look() == self._before, "the canary file was touched"
        assert [path.name for path in self.file.parent.iterdir()] == [self.file.name], "a file came to the canary"
        assert self.process.poll() is None, "the canary process has ended"
        status = Path(f"/proc/{self.process.pid}/status")
        if status.exists():
            assert "State:\tT" not in status.read_text(), "the canary process was stopped"
        for listener in self._listeners:
            with contextlib.suppress(BlockingIOError):
                listener.accept()
                raise AssertionError(f"somebody connected to {listener.getsockname()}")

    def close(self) -> None:
        """Takes them away."""
        for listener in self._listeners:
            listener.close()
        self.process.kill()
        self.process.wait()


def gateway_of(client: docker.APIClient) -> str:
    """The address of the host on the engine's usual bridge."""
    with contextlib.suppress(docker.errors.APIError, KeyError, IndexError, TypeError):
        network: dict[str, Any] = client.inspect_network("bridge")
        return str(network["IPAM"]["Config"][0]["Gateway"])
    return "172.17.0.1"


@contextlib.asynccontextmanager
async def canaries(folder: Path, client: docker.APIClient) -> AsyncIterator[Canaries]:
    """Canaries in a folder of their own; they are checked at the end."""
    made = Canaries(folder / "canary", await asyncio.to_thread(gateway_of, client))
    try:
        yield made
        made.check()
    finally:
        made.close()
