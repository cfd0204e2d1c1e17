"""Which images may go, and that removing one spares what is in use."""

import contextlib
import io
import os
import secrets
import tarfile
from collections.abc import AsyncIterator, Iterator

import docker
import pytest

from sandbox import images
from sandbox.image_engine import OWN_BASE, ImageEngine, ImageInfo
from sandbox.image_uses import BASE_LABEL, LAYERS, Use, removable, use_of

OLD = "soundstage-python:0123456789abcdef"
HOST = os.environ.get("DOCKER_HOST")


class StockedEngine(ImageEngine):
    """An engine that has those images."""

    def __init__(self, *there: ImageInfo) -> None:
        super().__init__("unix:///nonexistent.sock")
        self._there = there

    async def images(self, prefix: str) -> list[ImageInfo]:
        """Those that begin so."""
        return [image for image in self._there if image.tag.startswith(prefix)]


def info(tag: str, base: str = "") -> ImageInfo:
    """An image; one with a base is a layer of dependencies."""
    return ImageInfo(tag=tag, size=1, labels={BASE_LABEL: base} if base else {})


@pytest.mark.parametrize(
    ("image", "use"),
    [
        (info(images.tag("go")), Use.LANGUAGE),
        (info(OWN_BASE), Use.BASE),
        (info(OLD), Use.SUPERSEDED),
        (info("soundstage-pythonic:1"), Use.FOREIGN),
        (info("soundstage-cache:1"), Use.FOREIGN),
        (info(f"{LAYERS}python:1", base=images.tag("python")), Use.LAYER),
        (info(f"{LAYERS}python:1", base="somebody/else:2"), Use.LAYER),
        (info(f"{LAYERS}python:1", base=OLD), Use.SUPERSEDED),
        (info(f"{LAYERS}cobol:1", base=OLD), Use.SUPERSEDED),
        (info(f"{LAYERS}python:1"), Use.SUPERSEDED),
    ],
    ids=lambda value: value.tag if isinstance(value, ImageInfo) else str(value),
)
def test_what_an_image_is_for_follows_from_its_tag_and_from_what_it_lies_upon(image: ImageInfo, use: Use) -> None:
    assert use_of(image) is use


async def test_what_other_versions_left_may_go_and_dependencies_of_this_one_only_when_all_are_to() -> None:
    old_layer = info(f"{LAYERS}python:1", base=OLD)
    layer = info(f"{LAYERS}typescript:2", base=images.tag("typescript"))
    kept = [info(images.tag(name)) for name in images.languages()]
    engine = StockedEngine(info(OLD), *kept, info(OWN_BASE), info("soundstage-cache:1"), layer, old_layer)

    assert await removable(engine) == [old_layer, info(OLD)]
    assert await removable(engine, layers=True) == [old_layer, layer, info(OLD)]


@pytest.fixture
def client(docker_engine: None) -> Iterator[docker.APIClient]:
    """The real engine, past our own code."""
    with contextlib.closing(docker.APIClient(base_url=HOST, version="auto")) as made:
        yield made


@pytest.fixture
async def base(client: docker.APIClient) -> AsyncIterator[str]:
    """An image of the test's own."""
    tag = f"soundstage-prune-test:{secrets.token_hex(8)}"
    repository, _, name = tag.partition(":")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    client.import_image_from_data(archive.getvalue(), repository=repository, tag=name)
    yield tag
    assert await ImageEngine(HOST).remove(tag)


async def test_an_image_that_a_container_uses_is_kept(client: docker.APIClient, base: str) -> None:
    engine = ImageEngine(HOST)
    container = client.create_container(base, ["nothing"])
    try:
        assert not await engine.remove(base)
        assert await engine.exists(base)
    finally:
        client.remove_container(container)
    assert await engine.remove(base)
    assert not await engine.exists(base)
    assert await engine.remove(base)


async def test_a_layer_is_known_by_its_label_and_keeps_no_image_below_it(base: str) -> None:
    engine, tag = ImageEngine(HOST), f"{LAYERS}test:{secrets.token_hex(8)}"
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        dockerfile = f"FROM {base}\nCOPY Dockerfile /\n".encode()
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        tar.addfile(member, io.BytesIO(dockerfile))
    await engine.build_layer(io.BytesIO(context.getvalue()), tag, {BASE_LABEL: base})
    try:
        assert tag not in {image.tag for image in await removable(engine)}
        assert tag in {image.tag for image in await removable(engine, layers=True)}
        assert await engine.remove(base)
        assert await engine.exists(tag)
    finally:
        assert await engine.remove(tag)
