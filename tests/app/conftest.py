"""Running the real command line in a process of its own."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine import ContainerInfo, DockerEngine
from sandbox.hardening import HOME_LABEL, LABEL
from tests.app.warm_soundstage import SOUNDSTAGE as SOUNDSTAGE
from tests.app.warm_soundstage import WarmSoundstage

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(home: Path, tmp_path: Path, warm: WarmSoundstage) -> Cli:
    """Runs ``soundstage`` with arguments, in a folder and with a home of the test's own."""

    def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "SOUNDSTAGE_HOME": str(home), **environment}
        return warm.run({"arguments": arguments, "folder": str(tmp_path), "environment": environment}, stdin)

    return run


def containers_of(home_id: str) -> list[ContainerInfo]:
    """The containers that belong to a home."""
    found = asyncio.run(DockerEngine(os.environ.get("DOCKER_HOST")).containers(LABEL))
    return [container for container in found if container.labels.get(HOME_LABEL) == home_id]
