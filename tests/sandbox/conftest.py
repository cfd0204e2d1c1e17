"""Fixtures of the sandbox tests."""

from collections.abc import AsyncIterator

import pytest

from sandbox.base import SandboxRequest
from sandbox.fake import FakeSandboxes
from tests.sandbox.docker_place import DockerPlace, docker_place

pytest.register_assert_rewrite(
    "tests.sandbox.contract", "tests.sandbox.file_contract", "tests.sandbox.side_contract",
    "tests.sandbox.look_contract", "tests.sandbox.relay_contract",
)  # fmt: skip

from tests.sandbox.contract import Leased  # noqa: E402 - after its assertions were made to explain themselves


@pytest.fixture
async def place(docker_engine: None) -> AsyncIterator[DockerPlace]:
    """A real engine, of which this test leaves nothing behind."""
    async with docker_place() as there:
        yield there


@pytest.fixture(params=["fake", "docker"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which implementation is under test; the real one needs an engine."""
    if request.param == "docker":
        request.getfixturevalue("docker_engine")
    return str(request.param)


@pytest.fixture
async def leased(kind: str) -> AsyncIterator[Leased]:
    """A sandbox of that kind."""
    if kind == "docker":
        async with docker_place() as place, place.lease() as sandbox:

            async def kill_container() -> None:
                place.kill()

            yield Leased(sandbox, kill_container)
        return
    fakes = FakeSandboxes()
    async with fakes.lease(SandboxRequest(task_id="t", purpose="a test")) as sandbox:

        async def kill_process() -> None:
            fakes.processes[-1].kill()

        yield Leased(sandbox, kill_process)
