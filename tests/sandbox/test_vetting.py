"""What may leave a sandbox, and what must not."""

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import HostileOutput
from domain.files import File, FileTree, vet_path
from sandbox.vetting import VettingLimits, extract, is_plain, pack, printable
from tests.sandbox.hostile_archives import REFUSED_AS_A_WHOLE, REFUSED_ONE_BY_ONE, archive, member

LIMITS = VettingLimits(entries=50, file_bytes=1500, total_bytes=4000)
PART = st.text(min_size=1, max_size=80).filter(is_plain).filter(lambda part: "/" not in part)
PATH = st.lists(PART, min_size=1, max_size=12).map("/".join).filter(is_plain)
FILE = st.builds(File, content=st.binary(max_size=1200), executable=st.booleans())


def nested(paths: list[str]) -> bool:
    """Whether one of the paths is a folder of another."""
    return any(other.startswith(f"{path}/") for path in paths for other in paths)


TREES = st.dictionaries(PATH, FILE, max_size=3).filter(lambda files: not nested(list(files)))


@settings(max_examples=40)
@given(TREES)
def test_packing_and_extracting_is_the_identity_for_trees_of_plain_files(files: FileTree) -> None:
    assert extract(pack(files), LIMITS) == (files, [])


def test_paths_of_every_length_survive() -> None:
    files = {
        "/".join(["d" * 50] * depth) + "/" + "f" * rest: File() for depth in (1, 2, 19) for rest in (1, 48, 49, 50)
    }
    files |= {"é" * 127: File(content=b"x"), "a" * 255: File(executable=True)}
    assert max(len(path) for path in files) > 1000

    assert extract(pack(files), VettingLimits()) == (files, [])


@settings(deadline=None)
@given(st.binary(max_size=2048))
def test_arbitrary_bytes_raise_nothing_but_hostile_output(data: bytes) -> None:
    try:
        files, _ = extract(data, LIMITS)
    except HostileOutput:
        return
    assert files == {}


@settings(deadline=None)
@given(st.sampled_from(sorted(REFUSED_ONE_BY_ONE)), st.binary(min_size=1, max_size=20), st.integers(0, 4096))
def test_whatever_leaves_a_damaged_archive_has_a_plain_path_and_keeps_the_limits(
    name: str, damage: bytes, place: int
) -> None:
    data = bytearray(REFUSED_ONE_BY_ONE[name])
    place %= len(data)
    data[place : place + len(damage)] = damage
    try:
        files, _ = extract(bytes(data), LIMITS)
    except HostileOutput:
        return
    for path, file in files.items():
        assert vet_path(path) == path
        assert file.link is None
        assert len(file.content) <= LIMITS.file_bytes


@pytest.mark.parametrize("name", sorted(REFUSED_ONE_BY_ONE))
def test_what_must_not_leave_is_refused_and_the_rest_is_kept(name: str) -> None:
    files, refused = extract(REFUSED_ONE_BY_ONE[name], LIMITS)

    assert files == {"good": File(content=b"xxx")}
    assert len(refused) == 1
    assert refused[0].isprintable()


@pytest.mark.parametrize("name", sorted(REFUSED_AS_A_WHOLE))
def test_a_malformed_archive_is_hostile_output_and_nothing_of_it_is_kept(name: str) -> None:
    with pytest.raises(HostileOutput):
        extract(REFUSED_AS_A_WHOLE[name], LIMITS)


def test_a_file_below_a_file_is_refused_in_either_order() -> None:
    for paths in (("a", "a/b", "a/b/c"), ("a/b/c", "a/b", "a")):
        files, refused = extract(archive(*(member(path) for path in paths)), LIMITS)

        assert files == {"a": File()}
        assert sorted(refused) == ["a/b", "a/b/c"]


def test_folders_are_passed_over_and_other_fields_do_not_matter() -> None:
    odd = member("script", size=3)
    odd.mode, odd.uid, odd.gid, odd.uname, odd.mtime = 0o6777, 0, 0, "root", 2**33 - 1

    files, refused = extract(archive(member("folder", tarfile.DIRTYPE), odd), LIMITS)

    assert (files, refused) == ({"script": File(content=b"xxx", executable=True)}, [])


@pytest.mark.parametrize(
    ("limits", "fits"),
    [
        (VettingLimits(entries=3), True),
        (VettingLimits(entries=2), False),
        (VettingLimits(total_bytes=300), True),
        (VettingLimits(total_bytes=299), False),
    ],
)
def test_more_than_the_limits_is_hostile_output(limits: VettingLimits, fits: bool) -> None:
    data = archive(*(member(name, size=100) for name in "abc"))

    if fits:
        assert len(extract(data, limits)[0]) == 3
    else:
        with pytest.raises(HostileOutput, match="Produce"):
            extract(data, limits)


def test_folders_and_refused_entries_count_as_entries() -> None:
    many = archive(*(member(f"d{number}", tarfile.DIRTYPE) for number in range(51)))

    with pytest.raises(HostileOutput, match="50 files"):
        extract(many, LIMITS)


def test_a_bomb_of_announced_sizes_is_refused_without_being_unfolded() -> None:
    header = archive(member("a", size=0))[:512]
    huge = tarfile.TarInfo("huge")
    huge.size = 8**11 - 1

    with pytest.raises(HostileOutput, match="ends in the middle"):
        extract(huge.tobuf(tarfile.USTAR_FORMAT) + header, LIMITS)


@pytest.mark.parametrize("target", ["../out", "/etc/passwd", "a/../../out", ".git/config", "", "a\nb", "..\\out"])
def test_a_link_that_leads_out_is_not_packed(target: str) -> None:
    with pytest.raises(HostileOutput, match="leads out"):
        pack({"link": File(link=target)})


def test_a_link_that_stays_inside_is_packed_as_a_link() -> None:
    with tarfile.open(fileobj=io.BytesIO(pack({"a/b/link": File(link="../../file")}))) as theirs:
        (only,) = theirs.getmembers()

    assert (only.name, only.issym(), only.linkname) == ("a/b/link", True, "../../file")


def test_a_path_that_is_not_plain_is_not_packed() -> None:
    with pytest.raises(HostileOutput):
        pack({"../x": File()})


@settings(deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_whatever_the_name_what_is_shown_of_it_is_short_and_printable(name: str) -> None:
    shown = printable(name)

    assert len(shown) <= 200
    assert shown == "" or (shown.isascii() and shown.isprintable())
