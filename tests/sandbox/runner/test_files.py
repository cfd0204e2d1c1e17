"""Writing a workspace and finding what changed in it, in this process, on a folder of the test's own."""

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.files import File, FileTree
from sandbox.runner import files
from sandbox.vetting import VettingLimits, extract, pack

NAME = st.sampled_from(["a", "b", "c", "ü", "x" * 120])
TREES = st.dictionaries(
    st.lists(NAME, min_size=1, max_size=3).map("/".join),
    st.builds(File, content=st.binary(max_size=600), executable=st.booleans()),
    max_size=6,
).map(lambda tree: {path: file for path, file in tree.items() if not is_a_folder_of(path, tree)})


def is_a_folder_of(path: str, tree: FileTree) -> bool:
    """Whether another path of the tree needs a folder there."""
    return any(other.startswith(f"{path}/") for other in tree)


def put(root: str, tree: FileTree, deleted: list[str] | None = None, clear: bool = False) -> list[str]:
    """Writes a tree as the runner's child does, from the descriptor of a file."""
    with tempfile.TemporaryFile() as source:
        source.write(pack(tree))
        source.seek(0)
        return files.put(root, os.dup(source.fileno()), deleted or [], clear)


def fetched(root: str, paths: list[str], file_limit: int = 1 << 20) -> tuple[FileTree, list[str]]:
    """What the host makes of those paths, and which were left out."""
    with tempfile.TemporaryFile() as target:
        _, left_out = files.fetch(root, target.fileno(), paths, file_limit)
        target.seek(0)
        tree, refused = extract(target.read(), VettingLimits())
    assert refused == []
    return tree, left_out


@settings(max_examples=40)
@given(TREES, TREES)
def test_after_any_tree_a_cleared_put_leaves_exactly_the_new_one(before: FileTree, after: FileTree) -> None:
    with tempfile.TemporaryDirectory() as root:
        put(root, before)

        assert sorted(put(root, after, clear=True)) == sorted(after)

        state, refused = files.scan(root, frozenset())
        assert (set(state), refused) == (set(after), [])
        assert fetched(root, list(state)) == (after, [])


@settings(max_examples=40)
@given(TREES, TREES)
def test_a_put_writes_over_whatever_is_in_the_way_and_keeps_the_rest(before: FileTree, after: FileTree) -> None:
    with tempfile.TemporaryDirectory() as root:
        put(root, before)
        put(root, after)

        tree, _ = fetched(root, list(files.scan(root, frozenset())[0]))

    expected = {path: file for path, file in before.items() if not is_a_folder_of(path, after)}
    for path in after:
        expected = {other: file for other, file in expected.items() if not other.startswith(f"{path}/")}
    assert tree == expected | after


@settings(max_examples=40)
@given(TREES, st.data())
def test_deleting_files_leaves_the_others_and_no_empty_folder(tree: FileTree, data: st.DataObject) -> None:
    gone = data.draw(st.lists(st.sampled_from(sorted(tree)), unique=True)) if tree else []
    with tempfile.TemporaryDirectory() as root:
        put(root, tree)
        put(root, {}, deleted=[*gone, "never/was"])

        assert set(files.scan(root, frozenset())[0]) == set(tree) - set(gone)
        assert all(inside or folder == root for folder, _, inside in os.walk(root) if not next(os.walk(folder))[1])


def test_a_link_in_the_way_is_replaced_and_what_it_leads_to_is_not_touched(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root, outside / "sub"):
        folder.mkdir(parents=True)
    (outside / "sub" / "file").write_text("kept")
    (root / "d").symlink_to(outside)

    put(str(root), {}, deleted=["d/sub/file"])
    put(str(root), {"d/sub/file": File(content=b"new")})

    assert (outside / "sub" / "file").read_text() == "kept"
    assert (root / "d" / "sub" / "file").read_bytes() == b"new"


def test_a_file_that_grew_became_a_link_or_went_away_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 11)
    (tmp_path / "fits").write_bytes(b"x" * 10)
    (tmp_path / "link").symlink_to("fits")
    os.mkfifo(tmp_path / "fifo")

    tree, left_out = fetched(str(tmp_path), ["large", "fits", "link", "fifo", "gone"], file_limit=10)

    assert (tree, left_out) == ({"fits": File(content=b"x" * 10)}, ["large", "link", "fifo", "gone"])


def test_a_file_looked_at_right_after_a_change_may_have_changed_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("1")

    seen = files.look(str(tmp_path), ["file", "gone"])
    (tmp_path / "file").write_text("2")
    again, _ = files.scan(str(tmp_path), frozenset())

    assert set(seen) == {"file"}
    assert files.differs(seen["file"], again["file"])
    assert files.differs(None, again["file"])
