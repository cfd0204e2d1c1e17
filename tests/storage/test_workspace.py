import shutil
import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import HostileOutput, StorageUnavailable, UnknownTask
from domain.files import File, FileTree, TreeChange, vet_path
from domain.workspace import BASE_BRANCH, Merge
from storage.workspace import Workspace, WorkspaceStore
from tests.storage.git_program import git, read, repository, write

BRANCHES = (f"example-{number}" for number in count())
# Few names, so that files become folders and folders become files.
PATHS = st.lists(st.sampled_from(["a", "b", "c.txt"]), min_size=1, max_size=3).map("/".join)
TEXTS = st.text(alphabet="xy\n", max_size=12).map(str.encode)
BINARIES = st.binary(max_size=20).map(lambda data: b"\0" + data)
FILES = st.builds(File, content=st.one_of(TEXTS, BINARIES), executable=st.booleans())
# To names that no path has: the git program stumbles over circles of links.
LINKS = st.sampled_from(["target", "gone/target"]).map(lambda target: File(link=target))
WRITTEN = st.dictionaries(PATHS, st.one_of(FILES, LINKS), max_size=5)
CHANGES = st.builds(TreeChange, written=WRITTEN, deleted=st.frozensets(PATHS, max_size=3))
# Every example has a branch of its own.
PROPERTY = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def workspace(workspaces: WorkspaceStore) -> Workspace:
    return await workspaces.create("t1")


@pytest.fixture
async def empty(workspace: Workspace) -> str:
    """The commit of a workspace without a file."""
    return (await workspace.start({})).commit


async def grown(workspace: Workspace, empty: str, files: FileTree) -> tuple[str, str]:
    """A new branch with these files, and its commit."""
    branch = next(BRANCHES)
    await workspace.branch(branch, empty)
    return branch, (await workspace.snapshot(branch, TreeChange(written=files), "m")).commit


def text(content: str) -> File:
    return File(content=content.encode())


def parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def is_tree(files: FileTree) -> bool:
    return not any(above in files for path in files for above in parents(path))


def applied(tree: FileTree, change: TreeChange) -> FileTree:
    """What a change means: what it writes takes the place of whatever stood there, file or folder."""
    left = {path: file for path, file in tree.items() if path not in change.deleted}
    for path in change.written:
        for other in list(left):
            if other in parents(path) or path in parents(other):
                del left[other]
    return left | change.written


@PROPERTY
@given(tree=WRITTEN.filter(is_tree), changes=st.lists(CHANGES, max_size=4))
async def test_random_changes_make_of_a_tree_what_they_make_of_a_dictionary(
    workspace: Workspace, empty: str, tree: FileTree, changes: list[TreeChange]
) -> None:
    branch, head = await grown(workspace, empty, tree)
    for change in changes:
        if not is_tree(change.written):
            with pytest.raises(HostileOutput, match="both a file and a folder"):
                await workspace.snapshot(branch, change, "m")
            assert await workspace.head(branch) == head
            continue
        before, tree = tree, applied(tree, change)
        snapshot = await workspace.snapshot(branch, change, "m")

        assert await workspace.files(snapshot.commit) == tree
        assert snapshot.paths == tuple(sorted(p for p in before | tree if before.get(p) != tree.get(p)))
        assert (snapshot.commit == head) == (before == tree)
        head = snapshot.commit
    assert await workspace.head(branch) == head
    for path in ("a", "b/c.txt", "nowhere"):
        assert await workspace.file(head, path) == tree.get(path)


@PROPERTY
@given(old=WRITTEN.filter(is_tree), new=WRITTEN.filter(is_tree))
async def test_the_git_program_makes_the_new_tree_of_the_old_one_by_the_patch(
    workspace: Workspace, empty: str, old: FileTree, new: FileTree
) -> None:
    branch, base = await grown(workspace, empty, old)
    head = await workspace.snapshot(branch, TreeChange(written=new, deleted=frozenset(old) - set(new)), "m")
    patch = await workspace.patch(base, head.commit)

    with tempfile.TemporaryDirectory() as name:
        write(Path(name), old)
        if patch:
            git(Path(name), "apply", stdin=patch.encode(errors="surrogateescape"))
        assert read(Path(name)) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"caf\xe9\n", b"caf\xe9\nna\xefve\n"),
        (b"one\r\ntwo\r\n", b"one\r\nthree\r\n"),
        (b"no newline", b"no newline either"),
        (b"", b"\x00\xff" * 3000),
        ("h\u00e4\u6f22\n".encode(), "h\u00e4\u6f22\u5b57\n".encode()),
    ],
    ids=["latin-1", "crlf", "no newline", "binary", "utf-8"],
)
@pytest.mark.parametrize("path", ["a.txt", 'with space "and quotes".txt', "n\u00e4me/\u6f22.txt"])
async def test_a_patch_applies_whatever_the_encoding_of_the_content_and_the_name(
    workspace: Workspace, tmp_path: Path, path: str, old: bytes, new: bytes
) -> None:
    base = await workspace.start({path: File(content=old)})
    snapshot = await workspace.snapshot(BASE_BRANCH, TreeChange(written={path: File(content=new)}), "m")
    patch = await workspace.patch(base.commit, snapshot.commit)

    repository(tmp_path / "r", {path: File(content=old)})
    git(tmp_path / "r", "apply", stdin=patch.encode(errors="surrogateescape"))

    assert read(tmp_path / "r") == {path: File(content=new)}


LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8)


@PROPERTY
@given(old=LINES, new=LINES, newline=st.booleans())
async def test_without_the_changed_lines_the_new_file_is_part_of_the_old_one(
    workspace: Workspace, empty: str, old: list[str], new: list[str], newline: bool
) -> None:
    end = "\n" if newline else ""
    branch, base = await grown(workspace, empty, {"f": text("\n".join(old) + end), "same": text("x\n")})
    snapshot = await workspace.snapshot(branch, TreeChange(written={"f": text("\n".join(new) + end)}), "m")
    changed = await workspace.changed_lines(base, snapshot.commit)

    assert set(changed) <= {"f"}
    numbers = changed.get("f", frozenset())
    shown = ("\n".join(new) + end).splitlines()
    assert numbers <= set(range(1, len(shown) + 1))
    before = iter(("\n".join(old) + end).splitlines())
    assert all(line in before for number, line in enumerate(shown, start=1) if number not in numbers)


async def test_changed_lines_are_counted_from_1_in_the_new_file(workspace: Workspace) -> None:
    base = await workspace.start({"f": text("one\ntwo\nthree\n"), "gone": text("x\n"), "b": File(content=b"\0")})
    written = {"f": text("one\n2\nthree\nfour\n"), "new": text("a\nb\n"), "b": File(content=b"\0\1")}
    head = (await workspace.snapshot(BASE_BRANCH, TreeChange(written=written, deleted=frozenset({"gone"})), "m")).commit

    assert await workspace.changed_lines(base.commit, head) == {
        "f": frozenset({2, 4}),
        "new": frozenset({1, 2}),
        "gone": frozenset(),
    }


async def test_the_store_is_sound_to_the_git_program(workspaces: WorkspaceStore, workspace: Workspace) -> None:
    await workspace.start({"a/b": text("1\n"), "run": File(content=b"#!", executable=True), "l": File(link="a/b")})
    await workspace.snapshot(BASE_BRANCH, TreeChange(written={"a": text("a file now\n")}), "the message")
    (folder,) = workspaces._folder.iterdir()

    git(folder, "fsck", "--strict")
    listed = git(folder, "ls-tree", "-r", "--format=%(objectmode) %(path)", BASE_BRANCH)
    assert listed.splitlines() == ["100644 a", "120000 l", "100755 run"]
    assert git(folder, "log", "--format=%s %an", BASE_BRANCH).splitlines() == [
        "the message Soundstage",
        "base Soundstage",
    ]


NASTY = st.one_of(
    st.text(min_size=1, max_size=12),
    st.sampled_from([".git::$INDEX_ALLOCATION", ".git:x", "CON", "a:b", "a.", "a ", ".gitmodules", "-a", "a\u2028b"]),
    st.integers(1, 511).map(lambda depth: "d/" * depth + "f"),
)


@PROPERTY
@given(path=NASTY)
async def test_every_path_that_may_enter_a_workspace_can_be_stored_and_read_back(
    workspace: Workspace, empty: str, path: str
) -> None:
    try:
        vet_path(path)
    except HostileOutput:
        return
    _, commit = await grown(workspace, empty, {path: text("x")})

    assert await workspace.paths(empty, commit) == (path,)
    assert await workspace.files(commit) == {path: text("x")}
    assert await workspace.file(commit, path) == text("x")


async def test_branches_go_their_own_ways_and_disjoint_work_merges(workspace: Workspace) -> None:
    base = await workspace.start({"f": text("1\n2\n3\n4\n5\n6\n7\n"), "old": text("x")})
    await workspace.branch("main", base.commit)
    await workspace.branch("work", base.commit)
    await workspace.snapshot("main", TreeChange(written={"f": text("one\n2\n3\n4\n5\n6\n7\n")}), "m")
    written = {"f": text("1\n2\n3\n4\n5\n6\nseven\n"), "new/g": text("g")}
    await workspace.snapshot("work", TreeChange(written=written, deleted=frozenset({"old"})), "m")

    merged = await workspace.merge("main", "work")

    assert merged == Merge(commit=await workspace.head("main"))
    whole = {"f": text("one\n2\n3\n4\n5\n6\nseven\n"), "new/g": text("g")}
    assert await workspace.files(merged.commit) == whole
    assert await workspace.paths(base.commit, merged.commit) == ("f", "new/g", "old")
    assert await workspace.tree(merged.commit) != await workspace.tree(base.commit)
    assert await workspace.merge("main", "work") == merged, "what is merged already changes nothing"


async def test_work_on_an_unchanged_branch_is_taken_over_as_it_is(workspace: Workspace) -> None:
    base = await workspace.start({"f": text("1")})
    await workspace.branch("main", base.commit)
    await workspace.branch("work", base.commit)
    work = await workspace.snapshot("work", TreeChange(written={"g": text("2")}), "m")

    assert await workspace.merge("main", "work") == Merge(commit=work.commit)
    assert await workspace.head("main") == work.commit


@pytest.mark.parametrize(
    ("ours", "theirs", "where"),
    [
        (TreeChange(written={"f": text("ours\n")}), TreeChange(written={"f": text("theirs\n")}), "f"),
        (TreeChange(written={"f": text("ours\n")}), TreeChange(deleted=frozenset({"f"})), "f"),
        (TreeChange(written={"new": text("ours\n")}), TreeChange(written={"new": text("theirs\n")}), "new"),
        (TreeChange(written={"new": text("file\n")}), TreeChange(written={"new/g": text("folder\n")}), "new"),
        (TreeChange(written={"b": File(content=b"\0a")}), TreeChange(written={"b": File(content=b"\0b")}), "b"),
    ],
    ids=["both changed", "changed and deleted", "both added", "file and folder", "binary"],
)
async def test_a_conflict_names_its_paths_and_changes_nothing(
    workspace: Workspace, ours: TreeChange, theirs: TreeChange, where: str
) -> None:
    base = await workspace.start({"f": text("1\n"), "b": File(content=b"\0"), "same": text("x")})
    for branch, change in (("main", ours), ("work", theirs)):
        await workspace.branch(branch, base.commit)
        await workspace.snapshot(branch, change, "m")
    before = await workspace.head("main"), await workspace.head("work")

    merged = await workspace.merge("main", "work")

    assert (merged.commit, merged.conflicts) == (before[0], (where,))
    assert (await workspace.head("main"), await workspace.head("work")) == before


async def test_a_branch_that_is_not_there_is_a_key_error_and_one_that_is_can_be_moved(workspace: Workspace) -> None:
    base = await workspace.start({})
    later = await workspace.snapshot(BASE_BRANCH, TreeChange(written={"f": text("1")}), "m")
    with pytest.raises(KeyError):
        await workspace.head("work")

    await workspace.branch("work", later.commit)
    await workspace.branch("work", base.commit)

    assert await workspace.head("work") == base.commit


async def test_a_snapshot_that_was_made_ready_is_taken_and_until_then_the_branch_stays(workspace: Workspace) -> None:
    base = await workspace.start({"f": text("1")})
    change = TreeChange(written={"g/h": text("2")}, deleted=frozenset({"f"}))
    prepared = await workspace.prepare(BASE_BRANCH, change, "m")
    assert await workspace.head(BASE_BRANCH) == base.commit

    assert await workspace.snapshot(BASE_BRANCH, change, "m", prepared) == prepared.snapshot
    assert await workspace.head(BASE_BRANCH) == prepared.snapshot.commit
    assert (prepared.snapshot.paths, set(await workspace.files(prepared.snapshot.commit))) == (("f", "g/h"), {"g/h"})


async def test_what_was_made_ready_for_a_branch_that_went_on_loses_nothing_of_what_came_between(
    workspace: Workspace,
) -> None:
    await workspace.start({})
    change = TreeChange(written={"a": text("1")})
    prepared = await workspace.prepare(BASE_BRANCH, change, "m")
    await workspace.snapshot(BASE_BRANCH, TreeChange(written={"b": text("2")}), "between")

    taken = await workspace.snapshot(BASE_BRANCH, change, "m", prepared)
    assert set(await workspace.files(taken.commit)) == {"a", "b"}
    assert taken.paths == ("a",)


async def test_a_workspace_is_found_again_by_its_task_and_by_no_other_name(workspaces: WorkspaceStore) -> None:
    made = await workspaces.create("t-1")
    base = await made.start({"f": text("1")})

    assert workspaces.open("t-1") is made
    assert await WorkspaceStore(workspaces._folder).open("t-1").files(base.commit) == {"f": text("1")}
    for name in ("t-2", "", "-", "..", "../t-1", "t-1.git", "a/b", "t\u00e9"):
        with pytest.raises(UnknownTask):
            workspaces.open(name)
    await workspaces.discard("t-1")
    with pytest.raises(UnknownTask):
        workspaces.open("t-1")


async def test_a_store_that_cannot_be_written_or_is_gone_is_reported_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="SOUNDSTAGE_HOME"):
        await WorkspaceStore(tmp_path / "file").create("t1")

    store = WorkspaceStore(tmp_path / "store")
    workspace = await store.create("t1")
    await workspace.start({})
    shutil.rmtree(tmp_path / "store" / "t1.git" / "objects")
    with pytest.raises(StorageUnavailable):
        await workspace.snapshot(BASE_BRANCH, TreeChange(written={"f": text("1")}), "m")
    (tmp_path / "store" / "t2.git").mkdir()
    with pytest.raises(StorageUnavailable):
        await store.open("t2").files("HEAD")
