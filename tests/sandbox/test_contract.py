"""One contract, two sandboxes: the real one in Docker and the fake."""

from collections.abc import AsyncIterator

import pytest

from sandbox.base import SandboxRequest
from sandbox.fake import FakeSandboxes
from tests.sandbox.contract import CommandContract, EndContract, Leased
from tests.sandbox.docker_place import docker_place
from tests.sandbox.file_contract import FetchContract, PutContract


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


class TestCommands(CommandContract):
    """Commands."""


class TestEnds(EndContract):
    """Commands that must be ended."""


class TestPut(PutContract):
    """Files on their way in."""


class TestFetch(FetchContract):
    """Files on their way out."""
