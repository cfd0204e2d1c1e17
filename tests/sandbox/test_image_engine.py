"""Building through a real engine, from tiny contexts on top of our own image."""

import gc
import io
import os
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from domain.errors import EngineUnavailable, ImageBuildFailed, InfrastructureError
from sandbox import images
from sandbox.image_engine import BASE, OWN_BASE, ImageEngine
from tests.sandbox.played_engine import BROKEN_ANSWERS, played_engine


def context(dockerfile: str) -> bytes:
    """The tar of a context that is a Dockerfile and nothing else."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        archive.addfile(member, io.BytesIO(dockerfile.encode()))
    return buffer.getvalue()


@pytest.fixture
def engine(docker_engine: None) -> ImageEngine:
    """The real engine."""
    return ImageEngine(os.environ.get("DOCKER_HOST"))


@pytest.fixture
def tag(docker_engine: None) -> Iterator[str]:
    """A tag of this test's own, which is gone after it."""
    name = f"soundstage-test:{secrets.token_hex(6)}"
    yield name
    client = docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto")
    try:
        if client.images(name):
            client.remove_image(name, force=True)
    finally:
        client.close()


async def build(engine: ImageEngine, dockerfile: str, tag: str, **arguments: str) -> list[str]:
    """What building says."""
    return [line async for line in engine.build(context(dockerfile), tag, arguments)]


async def test_a_build_says_its_steps_and_makes_the_image(engine: ImageEngine, tag: str) -> None:
    dockerfile = f"ARG WORD\nFROM {images.tag('python')}\nARG WORD\nRUN echo the word is $WORD\n"

    said = await build(engine, dockerfile, tag, WORD="sesame")

    assert "the word is sesame" in said
    assert await engine.exists(tag)
    assert [image.tag for image in await engine.images("soundstage-test:") if image.tag == tag] == [tag]


async def test_a_build_that_fails_is_told_with_the_end_of_its_output(engine: ImageEngine, tag: str) -> None:
    dockerfile = f"FROM {images.tag('python')}\nRUN for n in $(seq 1000); do echo line-$n; done; false\n"

    with pytest.raises(ImageBuildFailed) as caught:
        await build(engine, dockerfile, tag)

    told = str(caught.value)
    assert "line-1000\n" in told
    assert len(told.splitlines()) < 30
    assert "non-zero code: 1" in told
    assert "--ca-bundle" in told
    assert not await engine.exists(tag)


@pytest.mark.parametrize(
    "dockerfile", ["no such instruction\n", "FROM soundstage-none:none\nRUN true\n"], ids=["syntax", "base"]
)
async def test_a_context_that_cannot_be_built_is_an_infrastructure_error(
    engine: ImageEngine, tag: str, dockerfile: str
) -> None:
    with pytest.raises(InfrastructureError):
        await build(engine, dockerfile, tag)


async def test_a_base_image_is_there_once_our_image_is_built(engine: ImageEngine) -> None:
    assert await engine.base() in {BASE, OWN_BASE}
    assert [line async for line in engine.provide_base()] == []


async def test_an_engine_that_does_not_answer_is_unavailable_for_every_call() -> None:
    gone = ImageEngine("unix:///nonexistent.sock")

    with pytest.raises(EngineUnavailable):
        await gone.exists("x")
    with pytest.raises(EngineUnavailable):
        await gone.images("x")
    with pytest.raises(EngineUnavailable):
        await build(gone, "FROM scratch", "x")
    gc.collect()


@pytest.mark.parametrize("name", sorted(BROKEN_ANSWERS))
async def test_an_engine_that_breaks_off_in_the_middle_is_an_infrastructure_error(tmp_path: Path, name: str) -> None:
    async with played_engine(tmp_path, BROKEN_ANSWERS[name]) as address:
        engine = ImageEngine(address)

        with pytest.raises(InfrastructureError):
            await build(engine, "FROM scratch", "x")
        with pytest.raises(InfrastructureError):
            await engine.images("x")
    gc.collect()


def sockets() -> int:
    """How many this process holds, without the help of the garbage collector."""
    places = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    return sum(os.readlink(place).startswith("socket:") for place in places if os.path.islink(place))


async def test_no_connection_is_left_behind_a_call(engine: ImageEngine, tag: str) -> None:
    gc.collect()
    gc.disable()
    try:
        before = sockets()
        assert await engine.exists(images.tag("python"))
        assert not await engine.exists(tag)
        assert await engine.images("soundstage-")
        await build(engine, f"FROM {images.tag('python')}\n", tag)
        assert await engine.remove(tag)
        with pytest.raises(InfrastructureError) as refused:
            await build(engine, "no such instruction\n", tag)
        # Whoever keeps the error keeps the frames that it went through, and all that they hold.
        assert refused.tb is not None
        assert sockets() == before
    finally:
        gc.enable()


async def test_what_a_build_says_comes_line_by_line(engine: ImageEngine, tag: str) -> None:
    said = await build(engine, f"FROM {images.tag('python')}\nRUN seq 100 | tr 1 x\n", tag)

    assert "x0" in said
    assert not [line for line in said if "\n" in line]
