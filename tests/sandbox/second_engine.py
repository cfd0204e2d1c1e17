"""An engine of the tests' own, which may be stopped and started without hurting anybody."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from sandbox import images

PATIENCE_S = 60.0
REMEDY = "This test starts a Docker engine of its own: run it as root, where dockerd is installed (make engine)."


class SecondEngine:
    """A ``dockerd`` with its own folders and socket, and without any network set-up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.host = f"unix://{folder}/docker.sock"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        (self._folder / "none.json").write_text("{}")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    # In a network namespace of its own: there it cannot take the usual engine's bridge away.
                    "unshare", "--net", "dockerd",
                    "--data-root", f"{self._folder}/data", "--exec-root", f"{self._folder}/exec",
                    "--host", self.host, "--pidfile", f"{self._folder}/pid", "--bridge", "none", "--iptables=false",
                    "--ip-masq=false", "--config-file", f"{self._folder}/none.json",
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"The engine did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        with (
            contextlib.suppress(docker.errors.DockerException, OSError),
            contextlib.closing(docker.APIClient(base_url=self.host)) as client,
        ):
            return bool(client.ping())
        return False

    def stop(self) -> None:
        """Stops it; its containers end with it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None
            with contextlib.suppress(FileNotFoundError):
                (self._folder / "pid").unlink()

    def copy(self, tag: str) -> None:
        """Gives it an image of the usual engine."""
        with (
            contextlib.closing(docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), timeout=300)) as usual,
            contextlib.closing(docker.APIClient(base_url=self.host, timeout=300)) as own,
        ):
            own.load_image(b"".join(usual.get_image(tag)))


@contextlib.contextmanager
def second_engine() -> Iterator[SecondEngine]:
    """An engine with the Python image; everything of it is gone afterwards."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.fail(REMEDY)
    folder = Path(tempfile.mkdtemp(prefix="soundstage-engine-"))
    engine = SecondEngine(folder)
    try:
        engine.start()
        engine.copy(images.tag("python"))
        yield engine
    finally:
        engine.stop()
        _unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _unmount(folder: Path) -> None:
    """Lets go of what an engine that was killed had mounted below the folder."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((place for place in places if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
