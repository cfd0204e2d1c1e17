"""Running the real command line in a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine import ContainerInfo, DockerEngine
from sandbox.hardening import HOME_LABEL, LABEL

SOUNDSTAGE = Path(sys.executable).with_name("soundstage")
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(home: Path, tmp_path: Path) -> Cli:
    """Runs ``soundstage`` with arguments, in a folder and with a home of the test's own."""

    def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SOUNDSTAGE), *arguments],
            cwd=tmp_path,
            env={**os.environ, "SOUNDSTAGE_HOME": str(home), **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


def containers_of(home_id: str) -> list[ContainerInfo]:
    """The containers that belong to a home."""
    found = asyncio.run(DockerEngine(os.environ.get("DOCKER_HOST")).containers(LABEL))
    return [container for container in found if container.labels.get(HOME_LABEL) == home_id]
