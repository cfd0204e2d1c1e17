"""What may become part of an image layer."""

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DependenciesFailed, HostileOutput
from sandbox.dependencies.layer import Layer, write_context
from sandbox.runner import tarstream
from sandbox.vetting import VettingLimits
from tests.sandbox.dependencies.trees import archive, entry

LIMITS = VettingLimits(entries=50, file_bytes=1000, total_bytes=2000)
PARTS = st.sampled_from(["a", "b", "..", ".", "", ".git", "c.py", "/", "a\x00b", "..\\x", "é"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
KINDS = st.sampled_from([tarstream.REGULAR, tarstream.SYMLINK, tarstream.DIRECTORY, b"1", b"3", b"4", b"6"])


def write(*entries: bytes, limits: VettingLimits = LIMITS) -> tuple[Layer, tarfile.TarFile]:
    """The layer, and the context as another program reads it."""
    context = io.BytesIO()
    layer = write_context(archive(*entries), context, "FROM x\n", limits)
    return layer, tarfile.open(fileobj=io.BytesIO(context.getvalue()))


def test_files_links_and_who_may_run_them_come_through() -> None:
    layer, context = write(
        entry("pkg/main.js", b"x", run=True), entry(".bin/main", kind=tarstream.SYMLINK, link="../pkg/main.js"),
        entry("pkg/", kind=tarstream.DIRECTORY), entry("pkg/data", b"12345"),
    )  # fmt: skip

    assert layer == Layer(files=3, size=6)
    assert context.getnames() == ["layer", "layer/pkg/main.js", "layer/.bin/main", "layer/pkg/data", "Dockerfile"]
    assert context.getmember("layer/pkg/main.js").mode & 0o111
    assert not context.getmember("layer/pkg/data").mode & 0o111
    assert context.getmember("layer/.bin/main").linkname == "../pkg/main.js"


@pytest.mark.parametrize(
    "bad",
    [
        entry("../x", b"1"), entry("/etc/passwd", b"1"), entry("a/../../x", b"1"), entry("./x", b"1"),
        entry(".git/hooks/x", b"1"), entry("a/.GIT/config", b"1"), entry("n\nl", b"1"),
        entry("l", kind=tarstream.SYMLINK, link="/etc"), entry("l", kind=tarstream.SYMLINK, link="../x"),
        entry("a/l", kind=tarstream.SYMLINK, link="../../x"), entry("l", kind=tarstream.SYMLINK, link="a/../../x"),
        entry("l", kind=tarstream.SYMLINK, link=""), entry("h", kind=b"1", link="a"), entry("c", kind=b"3"),
        entry("b", kind=b"4"), entry("f", kind=b"6"),
    ],
)  # fmt: skip
def test_what_leads_out_or_is_no_plain_file_is_left_behind_and_said(bad: bytes) -> None:
    layer, context = write(entry("good", b"1"), bad, entry("last", b"2"))

    assert context.getnames() == ["layer", "layer/good", "layer/last", "Dockerfile"]
    assert layer.files == 2
    assert len(layer.refused) == 1


def test_nothing_passes_below_a_link_or_a_file_and_nothing_in_the_place_of_a_folder() -> None:
    layer, context = write(
        entry("l", kind=tarstream.SYMLINK, link="a"), entry("l/x", b"1"), entry("f", b"1"), entry("f/x/y", b"1"),
        entry("d/x", b"1"), entry("d", kind=tarstream.SYMLINK, link="a"),
    )  # fmt: skip

    assert context.getnames() == ["layer", "layer/l", "layer/f", "layer/d/x", "Dockerfile"]
    assert layer.refused == ("l/x", "f/x/y", "d")


@pytest.mark.parametrize(
    "entries",
    [
        [entry(f"f{number}") for number in range(60)],
        [entry(f"f{n}", b"x" * 900) for n in range(3)],
        [entry("big", b"x" * 1001)],
    ],
)
def test_too_many_files_or_bytes_are_a_size_limit(entries: list[bytes]) -> None:
    with pytest.raises(DependenciesFailed) as caught:
        write(*entries)

    assert caught.value.reason == "size_limit"


def test_a_path_that_comes_twice_is_hostile() -> None:
    with pytest.raises(HostileOutput, match="twice"):
        write(entry("a", b"1"), entry("a", b"2"))


@pytest.mark.parametrize("junk", [b"x" * 512, b"\0" * 100, entry("a", b"1")[:600]])
def test_a_malformed_stream_is_hostile(junk: bytes) -> None:
    with pytest.raises(HostileOutput, match="malformed"):
        write_context(io.BytesIO(junk), io.BytesIO(), "FROM x\n", LIMITS)


@settings(deadline=None)
@given(st.lists(st.tuples(PATHS, KINDS, st.binary(max_size=5), PATHS), max_size=8))
def test_whatever_comes_the_context_holds_plain_files_and_links_within_the_layer(
    members: list[tuple[str, bytes, bytes, str]],
) -> None:
    entries = [
        entry(path, body if kind == tarstream.REGULAR else b"", kind, link) for path, kind, body, link in members
    ]
    try:
        layer, context = write(*entries)
    except HostileOutput:
        return
    inside = [member for member in context.getmembers() if member.name.startswith("layer/")]
    leaves = {member.name for member in inside}
    assert len(inside) == len(leaves) == layer.files
    for member in inside:
        assert member.isreg() or member.issym()
        assert ".." not in member.name.split("/")
        assert not any(member.name.startswith(f"{leaf}/") for leaf in leaves)
        if member.issym():
            depth = member.name.count("/") - 1
            assert member.linkname.split("/").count("..") <= depth
            assert not member.linkname.startswith("/")
