"""Kept files: under their hash, once, and whole."""

import hashlib
import os
from pathlib import Path

import pytest

from domain.artifacts import Artifact
from domain.errors import StorageUnavailable, UnknownArtifact
from domain.files import File, TreeChange
from storage.artifacts import ArtifactFolder

HOSTILE = {"-rf": b"a", "a b/c": b"b", "<script>.html": b"<script>", "x\u202egnp.exe": b"c"}


def files_in(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """The regular files below a folder, with content and mode."""
    places = [place for place in folder.rglob("*") if place.is_file()]
    return {place: (place.read_bytes(), place.stat().st_mode) for place in places}


def damage(place: Path) -> None:
    """Writes something else there."""
    place.write_bytes(b"evil")


async def test_what_is_kept_comes_back_under_its_path_hash_and_size(tmp_path: Path) -> None:
    store = ArtifactFolder(tmp_path / "artifacts")
    content = b"\x00wheel\xff" * 1000

    (kept,) = await store.put(TreeChange(written={"dist/a.whl": File(content=content)}))

    assert kept == Artifact(path="dist/a.whl", sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    assert await store.get(kept) == content


async def test_the_same_content_is_kept_once_and_links_are_passed_over(tmp_path: Path) -> None:
    store = ArtifactFolder(tmp_path)

    kept = await store.put(
        TreeChange(written={"a": File(content=b"x"), "b": File(content=b"x"), "link": File(link="a")})
    )
    again = await store.put(TreeChange(written={"c": File(content=b"x")}))

    assert [artifact.path for artifact in kept] == ["a", "b"]
    assert {artifact.sha256 for artifact in (*kept, *again)} == {hashlib.sha256(b"x").hexdigest()}
    assert len(files_in(tmp_path)) == 1


async def test_no_name_of_a_sandbox_is_a_name_on_the_host_and_nothing_can_be_executed(tmp_path: Path) -> None:
    files = {path: File(content=content, executable=True) for path, content in HOSTILE.items() if "\u202e" not in path}

    await ArtifactFolder(tmp_path).put(TreeChange(written=files))

    places = files_in(tmp_path)
    assert len(places) == len(files)
    for place, (content, mode) in places.items():
        assert place.name == hashlib.sha256(content).hexdigest()
        assert mode & 0o177 == 0


async def test_an_artifact_that_is_not_there_is_unknown_and_a_damaged_one_is_not_handed_out(tmp_path: Path) -> None:
    store = ArtifactFolder(tmp_path)
    (kept,) = await store.put(TreeChange(written={"a": File(content=b"good")}))
    (place,) = files_in(tmp_path)

    damage(place)
    with pytest.raises(StorageUnavailable, match="damaged"):
        await store.get(kept)
    os.unlink(place)
    with pytest.raises(UnknownArtifact, match="soundstage tasks artifacts"):
        await store.get(kept)


async def test_a_folder_that_cannot_be_written_is_said_with_the_remedy_and_nothing_half_is_left(tmp_path: Path) -> None:
    damage(tmp_path / "file")

    with pytest.raises(StorageUnavailable, match="SOUNDSTAGE_HOME"):
        await ArtifactFolder(tmp_path / "file").put(TreeChange(written={"a": File(content=b"x")}))

    assert os.listdir(tmp_path) == ["file"]
