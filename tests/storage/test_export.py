import os
import resource
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.errors import HostileOutput, OutputRefused
from domain.files import File, FileTree
from storage.export import check_empty, export
from tests.storage.git_program import read, write

NEW: FileTree = {
    "README": File(content=b"new\n"),
    "bin/run": File(content=b"#!/bin/sh\n", executable=True),
    "a/b/c": File(content=b"\x00\xff"),
    "a/link": File(link="b/c"),
}
Look = dict[str, tuple[int, bytes | str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The person's folder, with a file and a folder of theirs."""
    folder = tmp_path / "out"
    write(folder, {"mine": File(content=b"mine"), "a/mine": File(content=b"mine too")})
    return folder


def look(folder: Path) -> Look:
    """Everything that is there, folders and odd files included; links are not followed."""
    found: Look = {}
    for place in sorted(folder.rglob("*")):
        info = place.lstat()
        content: bytes | str = ""
        if stat.S_ISLNK(info.st_mode):
            content = os.readlink(place)
        elif stat.S_ISREG(info.st_mode):
            content = place.read_bytes()
        found[place.relative_to(folder).as_posix()] = (info.st_mode, content)
    return found


async def refused(files: FileTree, folder: Path, before: FileTree | None = None) -> str:
    """The message of a refusal that left everything in the folder and around it as it was."""
    around = folder.parent
    seen = look(around)
    with pytest.raises(OutputRefused) as raised:
        await export(files, folder, before)
    assert look(around) == seen
    return str(raised.value)


async def test_files_are_written_with_modes_and_links_beside_what_is_there(folder: Path) -> None:
    kept = read(folder)

    assert await export(NEW, folder) == sorted(NEW)

    assert read(folder) == NEW | kept
    assert await export(NEW, folder) == [], "what is there already is left alone"


async def test_a_new_folder_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    await export(NEW, tmp_path / "x" / "y")

    assert read(tmp_path / "x" / "y") == NEW


async def test_a_file_is_replaced_only_when_it_is_as_it_was_before_the_task(folder: Path) -> None:
    before = {"README": File(content=b"old\n"), "bin/run": File(content=b"old"), "a/link": File(link="mine")}
    write(folder, before)

    assert await export(NEW, folder, before) == sorted(NEW)
    assert read(folder).items() >= NEW.items()


@pytest.mark.parametrize(
    "change",
    [
        File(content=b"edited meanwhile\n"),
        File(content=b"old\n", executable=True),
        File(link="mine"),
    ],
    ids=["content", "mode", "link"],
)
async def test_a_file_that_was_changed_meanwhile_stops_everything(folder: Path, change: File) -> None:
    write(folder, {"README": change})

    message = await refused(NEW, folder, before={"README": File(content=b"old\n")})

    assert "README" in message
    assert "bin/run" not in message


async def test_a_file_that_nobody_knew_of_stops_everything_also_when_it_is_the_last(folder: Path) -> None:
    assert "zzz" in await refused({**NEW, "zzz": File(content=b"1")}, _with(folder, {"zzz": File(content=b"2")}))


def _with(folder: Path, files: FileTree) -> Path:
    write(folder, files)
    return folder


OBSTACLES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda place: place.mkdir(),
    "a pipe": os.mkfifo,
    "a link to a file outside": lambda place: place.symlink_to(place.parents[1] / "outside" / "victim"),
    "a link to nothing": lambda place: place.symlink_to("nothing"),
    "a link to itself": lambda place: place.symlink_to(place.name),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("before", [None, {"README": NEW["README"]}, {"README": File()}], ids=["new", "same", "empty"])
async def test_whatever_stands_in_the_place_of_a_file_stops_everything(
    folder: Path, obstacle: str, before: FileTree | None
) -> None:
    write(folder.parent, {"outside/victim": NEW["README"]})
    OBSTACLES[obstacle](folder / "README")

    assert "README" in await refused(NEW, folder, before)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("inside", [True, False], ids=["to a folder inside", "to a folder outside"])
async def test_no_component_of_a_path_is_reached_through_a_link(folder: Path, depth: int, inside: bool) -> None:
    target = folder / "elsewhere" if inside else folder.parent / "outside"
    (target / "q" / "r").mkdir(parents=True)
    parts = ["p", "q", "r"]
    above = folder.joinpath(*parts[: depth - 1])
    above.mkdir(parents=True, exist_ok=True)
    (above / parts[depth - 1]).symlink_to(target)

    message = await refused({"p/q/r/file": File(content=b"x"), "fine": File()}, folder)

    assert "p/q/r/file" in message


async def test_a_file_in_the_place_of_a_folder_stops_everything(folder: Path) -> None:
    assert "mine/x" in await refused({"mine/x": File(), "fine/y": File()}, folder)


@pytest.mark.parametrize(
    "hostile",
    [
        {"../outside": File()},
        {"/tmp/outside": File()},
        {".git/hooks/pre-commit": File(executable=True)},
        {"deep/l": File(link="../../outside")},
        {"deep/l": File(link="/etc/passwd")},
    ],
    ids=["up", "absolute", "git", "link up", "link absolute"],
)
async def test_hostile_output_is_not_written_and_nothing_beside_it(folder: Path, hostile: FileTree) -> None:
    seen = look(folder.parent)

    with pytest.raises(HostileOutput):
        await export(NEW | hostile, folder)

    assert look(folder.parent) == seen


REPOSITORIES = {
    "bare": ("bare/config", "bare/HEAD", "bare/objects/x", "bare/refs/x"),
    "at the top": ("HEAD", "objects/x", "refs/x"),
    "in other letters": ("deep/Bare/head", "deep/Bare/OBJECTS/x", "deep/Bare/Refs/x"),
    "with its objects elsewhere": ("other/objects/x", "other/refs/x", "tree/HEAD", "tree/commondir"),
}


@pytest.mark.parametrize("paths", REPOSITORIES.values(), ids=REPOSITORIES)
async def test_a_git_repository_in_the_result_is_refused_unless_it_was_there_before(
    folder: Path, paths: tuple[str, ...]
) -> None:
    planted = {path: File(content=b"x") for path in paths}

    assert "holds a git repository" in await refused(NEW | planted, folder)
    assert "holds a git repository" in await refused(dict([planted.popitem()]), folder, planted)

    whole = {path: File(content=b"x") for path in paths}
    write(folder, whole)
    assert await export(NEW | whole, folder, whole) == sorted(NEW)


@pytest.mark.parametrize("way", ["through a file", "below /proc"])
async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, way: str) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "out" if way == "through a file" else Path("/proc/self/soundstage")

    with pytest.raises(OutputRefused, match="Name another folder"):
        await export(NEW, folder)
    with pytest.raises(OutputRefused, match="Name another folder"):
        check_empty(folder)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow past 1,000 bytes: writing fails in the middle, as on a full disk, and for root as well."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
async def test_a_disk_that_fills_up_in_the_middle_leaves_nothing_half_written(folder: Path) -> None:
    large = {"new/a": File(content=b"x" * 10), "new/b": File(content=b"x" * 5000), "mine": File(content=b"changed")}

    message = await refused(large, folder, before={"mine": File(content=b"mine")})

    assert "too large" in message


def test_an_output_folder_is_empty_or_can_be_made_and_asking_makes_nothing(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    seen = look(tmp_path)

    check_empty(tmp_path / "empty")
    check_empty(tmp_path / "new" / "er")
    for place, complaint in {
        folder: "is not empty",
        folder / "mine": "is not a folder",
        tmp_path / "link": "is not a folder",
    }.items():
        with pytest.raises(OutputRefused, match=complaint):
            check_empty(place)

    assert look(tmp_path) == seen
