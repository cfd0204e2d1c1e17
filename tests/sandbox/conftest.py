"""Fixtures of the sandbox tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.docker_place import DockerPlace, docker_place

pytest.register_assert_rewrite("tests.sandbox.contract", "tests.sandbox.file_contract")


@pytest.fixture
async def place(docker_engine: None) -> AsyncIterator[DockerPlace]:
    """A real engine, of which this test leaves nothing behind."""
    async with docker_place() as there:
        yield there
