import os
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.errors import HostileOutput
from domain.files import MAX_NAME_BYTES, MAX_PATH_BYTES, File, TreeChange, vet_link, vet_path

# Code points that HFS+ ignores in names, and that git therefore ignores when it looks for ".git" (git's utf8.c).
IGNORED = "\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u206a\u206b\u206c\u206d\u206e\u206f\ufeff"
NASTY_PARTS = st.sampled_from(["..", ".", "", ".git", ".GIT ", "git~1", "a\\b", "a\0", "a\x9b", "a\ud800", "é", "a b"])
PARTS = st.one_of(
    NASTY_PARTS,
    st.text(max_size=8),
    st.text(alphabet=f".git GIT~1:{IGNORED}", max_size=8),
    st.text(alphabet="abc.-_ ", min_size=1, max_size=8),
)
PATHS = st.lists(PARTS, max_size=5).map("/".join)
PLAIN_PARTS = st.text(alphabet="abcXYZ019-_+=@~ é漢", min_size=1, max_size=12)


def accepted(path: str) -> bool:
    try:
        return vet_path(path) == path
    except HostileOutput:
        return False


def is_git_to_some_file_system(part: str) -> bool:
    """As git's verify_path sees it with core.protectHFS and core.protectNTFS, which also end a name at a colon."""
    name = "".join(character for character in part.lower() if character not in IGNORED)
    return name.split(":")[0].rstrip(". ") in {".git", "git~1"}


@settings(deadline=None)
@given(PATHS)
def test_every_accepted_path_stays_inside_and_has_no_git_folder_no_control_character_and_no_surrogate(
    path: str,
) -> None:
    if not accepted(path):
        return
    assert os.path.normpath(f"/root/{path}") == f"/root/{path}"
    assert not any(is_git_to_some_file_system(part) for part in path.split("/"))
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in path)


@settings(deadline=None)
@given(st.lists(PLAIN_PARTS, min_size=1, max_size=5).map("/".join))
def test_every_plain_relative_path_is_accepted_unchanged(path: str) -> None:
    assert vet_path(path) == path


@pytest.mark.parametrize("place", ["{}", "a/{}", "{}/config", "a/{}/hooks/post-checkout"])
@pytest.mark.parametrize("name", [".git", ".Git", ".git.", ".git . ", "git~1", "GIT~2", ".hg", ".svn"])
def test_a_version_control_folder_is_refused_in_every_place(place: str, name: str) -> None:
    assert not accepted(place.format(name))


def test_git_with_a_code_point_that_hfs_ignores_is_refused() -> None:
    let_through = [ignored for ignored in IGNORED if accepted(f".g{ignored}it/x") or accepted(f".git{ignored}")]

    assert let_through == []


@pytest.mark.parametrize("stream", [".git::$INDEX_ALLOCATION", ".git:config", "git~1:x"])
def test_git_by_the_name_of_an_ntfs_stream_is_refused(stream: str) -> None:
    assert not accepted(f"{stream}/hooks")


@pytest.mark.parametrize("control", ["\x00", "\t", "\n", "\x1b", "\x7f", "\x80", "\x85", "\x9b"], ids=ascii)
def test_a_control_character_is_refused_also_of_the_upper_range(control: str) -> None:
    assert not accepted(f"a{control}b")


@pytest.mark.parametrize("path", [".gitignore", ".github/workflows/ci.yml", "git", "a.git", "..a", "a..", "a:b"])
def test_a_name_that_only_looks_suspicious_is_accepted(path: str) -> None:
    assert accepted(path)


@pytest.mark.parametrize("letter", ["a", "é"])
def test_lengths_are_counted_in_bytes_and_may_reach_their_limits(letter: str) -> None:
    size = len(letter.encode())
    name = letter * (MAX_NAME_BYTES // size)
    longest = "/".join([name] * 4)[: MAX_PATH_BYTES // size]

    assert accepted(name)
    assert not accepted(name + letter)
    assert accepted(longest)
    assert not accepted("/".join([name] * 5))


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["l", "m", "n", "d/l", "d/e/l", "d/e/m"]),
        st.lists(st.sampled_from(["..", ".", "d", "e", "l", "m", "n", "x"]), min_size=1, max_size=5).map("/".join),
        max_size=4,
    )
)
@example({"l": ".", "m": "l/.."})
@example({"d/e/l": "../..", "m": "d/e/l/.."})
def test_links_that_are_accepted_resolve_inside_the_tree_also_through_one_another(links: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "a" / "b" / "tree"
        (root / "d" / "e").mkdir(parents=True)
        for path, target in links.items():
            try:
                (root / path).symlink_to(vet_link(path, target))
            except HostileOutput:
                continue
        for path in links:
            assert Path(os.path.realpath(root / path)).is_relative_to(root)


@pytest.mark.parametrize(
    ("path", "target"),
    [("l", "x"), ("l", "./x"), ("d/l", "../x"), ("d/e/l", "../../x"), ("d/l", "."), ("d/l", "..")],
)
def test_a_link_within_the_tree_is_accepted_unchanged(path: str, target: str) -> None:
    assert vet_link(path, target) == target


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("l", ""),
        ("l", "/etc/passwd"),
        ("l", ".."),
        ("d/l", "../../x"),
        ("d/l", "../.git/config"),
        ("l", ".GIT/hooks"),
        ("l", "a\\..\\..\\b"),
        ("l", "a\nb"),
        ("l", "a\x7fb"),
        ("l", "a\udcffb"),
    ],
)
def test_a_link_that_leads_out_or_into_git_or_is_no_text_is_refused(path: str, target: str) -> None:
    with pytest.raises(HostileOutput):
        vet_link(path, target)


@pytest.mark.parametrize("path", ["../x", "/x", ".git/config", ""])
def test_a_change_refuses_hostile_paths_to_write_and_to_delete(path: str) -> None:
    with pytest.raises(HostileOutput):
        TreeChange(written={path: File()})
    with pytest.raises(HostileOutput):
        TreeChange(deleted=frozenset({path}))


def test_a_change_can_be_asked_for_its_paths_and_for_what_is_left_without_some() -> None:
    change = TreeChange(written={"a": File(content=b"1"), "b": File()}, deleted=frozenset({"c", "d"}))

    assert change.paths() == {"a", "b", "c", "d"}
    assert change.without(frozenset({"a", "c"})) == TreeChange(written={"b": File()}, deleted=frozenset({"d"}))
    assert change
    assert not change.without(change.paths())
