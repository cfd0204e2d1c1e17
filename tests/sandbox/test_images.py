"""The images' tags, and what building one asks of an engine."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest

from domain.errors import ImageBuildFailed, UsageError
from sandbox import images
from sandbox.image_engine import BASE, OWN_BASE, ImageEngine

ROOT = Path(__file__).resolve().parents[2]

TAGS_AFTER_CHANGES = """
import pathlib, sys
from sandbox import images
root = pathlib.Path(sys.argv[1])
print(images.tag.__wrapped__("python"))
folders = (root / "images" / "python", root / "sandbox" / "runner")
files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
for path in files:
    before = path.read_bytes()
    path.write_bytes(before + b"#")
    print(images.tag.__wrapped__("python"))
    path.write_bytes(before)
    renamed = path.rename(path.with_name("other-" + path.name))
    if path.name != "Dockerfile":
        print(images.tag.__wrapped__("python"))
    renamed.rename(path)
(root / "images" / "python" / "new").write_bytes(b"")
print(images.tag.__wrapped__("python"))
(root / "images" / "python" / "new").unlink()
(root / "sandbox" / "runner" / "__pycache__").mkdir(exist_ok=True)
(root / "sandbox" / "runner" / "__pycache__" / "job.pyc").write_bytes(b"x")
(root / "sandbox" / "engine.py").write_text("changed")
(root / "images" / "shared" / "relay.py").write_text("changed")
print(images.tag.__wrapped__("python"))
"""


def test_the_tag_changes_with_every_file_that_goes_into_the_image_and_with_no_other(tmp_path: Path) -> None:
    for package in ("images", "sandbox", "domain"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))

    done = subprocess.run(
        [sys.executable, "-c", TAGS_AFTER_CHANGES, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip

    first, *changed, last = done.stdout.split()
    assert len(changed) > 20
    assert len({first, *changed}) == 1 + len(changed)
    assert last == first == images.tag("python")


def test_files_that_images_share_go_where_the_dockerfile_takes_them() -> None:
    shared = {name for name in images.languages() if "shared/relay.py" in images._context(name)}

    assert shared == {"java", "typescript"}


def test_a_tag_names_its_language_and_is_a_valid_reference() -> None:
    repository, _, digest = images.tag("python").partition(":")

    assert repository == "soundstage-python"
    assert len(digest) == 16
    assert set(digest) <= set("0123456789abcdef")


def test_a_language_that_there_is_no_image_for_is_named_with_those_there_are() -> None:
    assert "python" in images.languages()
    for wrong in ("cobol", "", "..", "python/harness"):
        with pytest.raises(UsageError, match=r"Use one of: .*python"):
            images.tag(wrong)


class PlayedEngine(ImageEngine):
    """An engine that has some images and keeps what it is asked to build."""

    def __init__(self, *there: str, fails: bool = False) -> None:
        super().__init__("unix:///nonexistent.sock")
        self.there = set(there)
        self.fails = fails
        self.built: list[tuple[str, dict[str, str], dict[str, bytes]]] = []

    async def exists(self, tag: str) -> bool:
        """Whether the tag is there."""
        return tag in self.there

    async def provide_base(self) -> AsyncIterator[str]:
        """Makes a base image where there is none."""
        if not self.there & {BASE, OWN_BASE}:
            self.there.add(OWN_BASE)
            yield "made a base"

    async def build(self, context: bytes, tag: str, arguments: dict[str, str]) -> AsyncIterator[str]:
        """Unpacks the context and keeps it."""
        with tarfile.open(fileobj=BytesIO(context)) as archive:
            contents = {member.name: archive.extractfile(member) for member in archive}
            files = {name: content.read() for name, content in contents.items() if content}
        self.built.append((tag, arguments, files))
        yield "Step 1"
        if self.fails:
            raise ImageBuildFailed
        self.there.add(tag)


async def lines(engine: ImageEngine, settings: images.BuildSettings) -> list[str]:
    """What building says."""
    return [line async for line in images.build(engine, "python", settings)]


async def test_an_image_that_is_there_is_not_built_again() -> None:
    engine = PlayedEngine(images.tag("python"))

    assert await lines(engine, images.BuildSettings()) == [f"{images.tag('python')} is up to date"]
    assert engine.built == []


async def test_a_missing_image_is_built_from_every_file_of_its_context() -> None:
    engine = PlayedEngine(BASE)

    said = await lines(engine, images.BuildSettings(arguments={"HTTP_PROXY": "http://proxy"}))

    assert said == ["Step 1", f"{images.tag('python')} is built"]
    ((tag, arguments, files),) = engine.built
    assert (tag, arguments) == (images.tag("python"), {"BASE": BASE, "HTTP_PROXY": "http://proxy"})
    assert files["Dockerfile"] == (ROOT / "images/python/Dockerfile").read_bytes()
    assert files["harness/run_tests.py"] == (ROOT / "images/python/harness/run_tests.py").read_bytes()
    assert files["runner/server.py"] == (ROOT / "sandbox/runner/server.py").read_bytes()
    assert files["ca/extra.pem"] == b""
    assert not any("pyc" in name for name in files)


async def test_without_a_base_image_one_is_made_first() -> None:
    engine = PlayedEngine()

    assert (await lines(engine, images.BuildSettings()))[0] == "made a base"
    assert engine.built[0][1]["BASE"] == OWN_BASE


async def test_a_base_and_a_bundle_of_ones_own_are_used_even_when_the_image_is_there(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(b"certificates")
    engine = PlayedEngine(images.tag("python"))

    await lines(engine, images.BuildSettings(base="ours:1", ca_bundle=bundle))

    ((_, arguments, files),) = engine.built
    assert arguments["BASE"] == "ours:1"
    assert files["ca/extra.pem"] == b"certificates"


async def test_a_build_that_fails_is_not_said_to_be_built() -> None:
    engine = PlayedEngine(BASE, fails=True)
    building = images.build(engine, "python", images.BuildSettings())

    assert await anext(building) == "Step 1"
    with pytest.raises(ImageBuildFailed):
        await anext(building)


async def test_the_built_image_is_known_to_the_real_engine(docker_engine: None) -> None:
    engine = ImageEngine(os.environ.get("DOCKER_HOST"))

    assert await engine.exists(images.tag("python"))
    assert not await engine.exists("soundstage-python:never-built")
    sizes = {image.tag: image.size for image in await engine.images(images.REPOSITORY)}
    assert sizes[images.tag("python")] > 10_000_000
    assert all(tag.startswith("soundstage") for tag in sizes)
