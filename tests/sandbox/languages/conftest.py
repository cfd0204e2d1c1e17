"""Fixtures of the language tests: a sandbox of each language's own image."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from sandbox import images
from sandbox.base import Sandbox
from sandbox.image_engine import ImageEngine
from sandbox.languages import LANGUAGES
from tests.sandbox.docker_place import docker_place


@pytest.fixture(params=sorted(LANGUAGES))
def name(request: pytest.FixtureRequest) -> str:
    """The name of each language in turn."""
    return str(request.param)


@pytest.fixture
async def sandbox(docker_engine: None, name: str) -> AsyncIterator[Sandbox]:
    """A sandbox of the language, of the usual size. Without its image the test fails, with the remedy."""
    tag = images.tag(name)
    if not await ImageEngine(os.environ.get("DOCKER_HOST")).exists(tag):
        pytest.fail(f"This test needs the image {tag}. Run: soundstage images build {name}")
    async with docker_place() as place, place.lease(language=name, profile="default") as leased:
        yield leased
    await asyncio.sleep(0)
