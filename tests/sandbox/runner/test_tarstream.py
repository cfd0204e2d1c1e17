"""Tar streams, against Python's tarfile as the other opinion."""

import contextlib
import io
import tarfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.runner import tarstream
from sandbox.runner.tarstream import BLOCK, END_OF_ARCHIVE, Entry, Reader, TarError, header, padding
from tests.sandbox.hostile_archives import GNU_LONG, REFUSED_AS_A_WHOLE, REFUSED_ONE_BY_ONE, archive, member

PART = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=60)
PATH = st.lists(PART, min_size=1, max_size=12).map("/".join)
FILES = st.dictionaries(PATH, st.tuples(st.binary(max_size=2 * BLOCK), st.booleans()), max_size=5)
LINKS = st.dictionaries(PATH, PATH, max_size=3)


def written(files: dict[str, tuple[bytes, bool]], links: dict[str, str] | None = None) -> bytes:
    """The tar stream of files and links."""
    parts = []
    for path, (content, executable) in files.items():
        entry = Entry(path, tarstream.REGULAR, len(content), executable, "")
        parts += [header(entry), content, padding(len(content))]
    parts += [header(Entry(path, tarstream.SYMLINK, 0, False, link)) for path, link in (links or {}).items()]
    return b"".join(parts) + END_OF_ARCHIVE


def read(data: bytes) -> list[tuple[Entry, bytes]]:
    """Every entry with its content."""
    reader = Reader(io.BytesIO(data).read)
    found = []
    for entry in reader:
        content = b""
        while piece := reader.content(100):
            content += piece
        found.append((entry, content))
    return found


@settings(deadline=None)
@given(FILES, LINKS)
def test_what_is_written_is_read_back_the_same(files: dict[str, tuple[bytes, bool]], links: dict[str, str]) -> None:
    found = read(written(files, links))

    expected = [
        (Entry(path, tarstream.REGULAR, len(content), executable, ""), content)
        for path, (content, executable) in files.items()
    ] + [(Entry(path, tarstream.SYMLINK, 0, False, link), b"") for path, link in links.items()]
    assert found == expected


@settings(deadline=None)
@given(FILES, LINKS)
@example({"a" * 100: (b"", False), "b" * 101: (b"x", True)}, {"l" * 101: "t" * 101, "l": "t" * 100})
def test_tarfile_reads_what_we_write(files: dict[str, tuple[bytes, bool]], links: dict[str, str]) -> None:
    with tarfile.open(fileobj=io.BytesIO(written(files, links))) as theirs:
        members = theirs.getmembers()
        contents = [theirs.extractfile(member) for member in members if member.isreg()]
        found = [
            (member.name, content.read() if content else None)
            for member, content in zip(members, contents, strict=False)
        ]

    assert found == [(path, content) for path, (content, _) in files.items()]
    assert [(member.name, member.linkname) for member in members if member.issym()] == list(links.items())
    executables = [member.name for member in members if member.isreg() and member.mode & 0o100]
    assert executables == [path for path, (_, executable) in files.items() if executable]


@settings(deadline=None)
@given(FILES, st.sampled_from([tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT]))
def test_we_read_what_tarfile_writes(files: dict[str, tuple[bytes, bool]], form: int) -> None:
    files = {path[:60].rstrip("/"): content for path, content in files.items()}
    buffer = io.BytesIO()
    try:
        with tarfile.open(fileobj=buffer, mode="w", format=form) as theirs:
            for path, (content, executable) in files.items():
                info = tarfile.TarInfo(path)
                info.size, info.mode = len(content), 0o755 if executable else 0o644
                theirs.addfile(info, io.BytesIO(content))
    except ValueError:
        return  # a name that the old format cannot hold

    found = {entry.path: (content, entry.executable) for entry, content in read(buffer.getvalue())}

    assert found == files


@settings(deadline=None)
@given(st.binary(max_size=3 * BLOCK))
def test_arbitrary_bytes_raise_nothing_but_a_tar_error(data: bytes) -> None:
    with contextlib.suppress(TarError):
        read(data)


@settings(deadline=None)
@given(st.sampled_from(sorted(REFUSED_ONE_BY_ONE)), st.integers(0, 8 * BLOCK), st.integers(0, 255))
def test_a_byte_changed_anywhere_raises_nothing_but_a_tar_error(name: str, place: int, value: int) -> None:
    data = bytearray(REFUSED_ONE_BY_ONE[name])
    data[place % len(data)] = value
    with contextlib.suppress(TarError):
        read(bytes(data))


@pytest.mark.parametrize("name", sorted(set(REFUSED_AS_A_WHOLE) - {"twice"}))
def test_a_stream_that_is_not_fully_understood_is_an_error(name: str) -> None:
    with pytest.raises(TarError):
        read(REFUSED_AS_A_WHOLE[name])


def test_a_long_name_in_a_form_that_we_do_not_know_is_never_cut_short() -> None:
    try:
        names = [entry.path for entry, _ in read(GNU_LONG) if entry.type == tarstream.REGULAR]
    except TarError:
        names = []

    assert names == []


def test_entries_that_are_not_read_are_passed_over() -> None:
    data = archive(member("a", size=1500), member("b", size=0), member("c", size=512))

    assert [entry.path for entry in Reader(io.BytesIO(data).read)] == ["a", "b", "c"]


def test_a_stream_that_gives_fewer_bytes_than_asked_for_ends_in_the_middle() -> None:
    data = archive(member("a", size=3))
    reader = Reader(lambda size: data[: size - 1])

    with pytest.raises(TarError, match="ends in the middle"):
        list(reader)


def test_an_entry_too_large_for_the_format_is_an_error_when_it_is_written() -> None:
    assert header(Entry("a", tarstream.REGULAR, 8**11 - 1, False, ""))
    with pytest.raises(TarError, match="too large"):
        header(Entry("a", tarstream.REGULAR, 8**11, False, ""))
