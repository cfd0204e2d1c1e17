"""The history of an imported repository, against what the git program says of it."""

import shutil
from pathlib import Path

import pytest
from pygit2.enums import ObjectType

from domain.errors import HistoryUnavailable
from storage import past
from storage.past import RepositoryPast
from storage.workspace import WorkspaceStore
from tests.storage.git_program import git
from tests.storage.old_repository import OldRepository


@pytest.fixture
def old(tmp_path: Path) -> OldRepository:
    """An empty repository."""
    return OldRepository(tmp_path / "old.git")


def grown(old: OldRepository) -> list[str]:
    """Commits with a side branch and a merge, the oldest first."""
    a = old.commit({"a.txt": "1\n2\n3\n", "src/b.py": "x = 1\n"}, "first\n\nwith a body")
    b = old.commit({"a.txt": "1\n2\nthree\n", "src/b.py": "x = 1\n"}, "second", "Bob")
    c = old.commit({"a.txt": "1\n2\n3\n", "src/b.py": "x = 2\n"}, "side", "Eve", a, branch="side")
    d = old.commit({"a.txt": "1\n2\nthree\n", "src/b.py": "x = 2\n"}, "merge", "Ada", b, c)
    e = old.commit({"src/b.py": "x = 2\n", "new/c.bin": b"\0\1"}, "last")
    return [a, b, c, d, e]


@pytest.mark.parametrize("path", [None, "a.txt", "src/b.py", "src", "new/c.bin", "nothing"])
async def test_commits_are_listed_as_git_lists_them(path: str | None, old: OldRepository) -> None:
    *_, head = grown(old)
    # A merge that is like one of its sides changed nothing of its own.
    of_path = ["--full-history", "--no-merges", "--", path] if path else []
    expected = git(old.folder, "log", "--format=%H", "main", *of_path)

    log = await RepositoryPast(old.folder, head).log(path, 100)

    assert [commit.id for commit in log.commits] == expected.split()
    assert (log.looked_at, log.whole) == (5, True)


async def test_a_commit_is_told_with_its_author_time_message_and_changes(old: OldRepository) -> None:
    first, second, _, _, last = grown(old)
    history = RepositoryPast(old.folder, last)

    found = await history.commit(first[:8])
    assert (found.id, found.author, found.message) == (first, "Ada", "first\n\nwith a body")
    assert f"{found.when:%Y-%m-%d %H}" == "2020-01-01 01"
    assert await history.patch(second, None, 10_000) == git(old.folder, "diff", f"{first}..{second}") + "\n"
    assert await history.patch(second, "src", 10_000) == ""
    everything = await history.patch(first, None, 10_000)
    assert "+++ b/a.txt" in everything
    assert "+++ b/src/b.py" in everything
    assert "Binary files" in await history.patch(last, "new", 10_000)


async def test_a_long_change_is_cut(old: OldRepository) -> None:
    head = old.commit({f"{number}.txt": "line\n" * 100 for number in range(9)})
    history = RepositoryPast(old.folder, head)

    cut = await history.patch(head, None, 1_000)
    assert len(cut) < 1_200
    assert "left out]" in cut
    assert cut.endswith("[more files changed; ask for one of them by its path]\n")
    assert "+line" in await history.patch(head, "8.txt", 1_000)


async def test_lines_have_the_commit_that_they_came_with(old: OldRepository) -> None:
    first, second, side, merge, _ = grown(old)
    history = RepositoryPast(old.folder, merge)

    lines = await history.lines("a.txt", 1, 99)
    assert [(one.first, one.last, one.commit.id, one.or_earlier) for one in lines] == [
        (1, 2, first, False),
        (3, 3, second, False),
    ]
    (only,) = await history.lines("src/b.py", 1, 1)
    assert only.commit.id == side
    for path, start in (("nothing", 1), ("a.txt", 99), ("src", 1)):
        with pytest.raises(KeyError):
            await history.lines(path, start, start)


async def test_what_the_imported_commit_does_not_descend_from_is_unknown(old: OldRepository) -> None:
    *_, head = grown(old)
    other = old.commit({"secret": "x"}, "elsewhere", "Eve", head, branch="other")
    history = RepositoryPast(old.folder, head)

    for unknown in (other, other[:8], "0" * 40, "deadbeef"):
        with pytest.raises(KeyError):
            await history.commit(unknown)
        with pytest.raises(KeyError):
            await history.patch(unknown, None, 1000)


async def test_no_more_commits_are_looked_at_than_can_be_afforded(
    old: OldRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "MOST_COMMITS", 3)
    ids = [old.commit({"a": "".join(f"{at}\n" for at in range(number + 1))}) for number in range(6)]
    history = RepositoryPast(old.folder, ids[-1])

    log = await history.log("nothing", 10)
    assert (log.commits, log.looked_at, log.whole) == ((), 3, False)
    lines = await history.lines("a", 1, 6)
    assert [(one.last, one.or_earlier) for one in lines] == [(4, True), (5, False), (6, False)]


@pytest.mark.parametrize(("claimed", "told"), [(999_999_999_999_999, "9999-12-31"), (2**62, "9999-12-31")])
async def test_a_commit_that_claims_an_impossible_time_is_told_with_the_nearest(
    claimed: int, told: str, old: OldRepository
) -> None:
    first = old.commit({"a": "1\n"})
    body = old.repository[first].read_raw().replace(b"1577840400", str(claimed).encode())
    odd = str(old.repository.write(ObjectType.COMMIT, body))
    last = old.commit({"a": "1\n2\n"}, "m", "Ada", odd)
    history = RepositoryPast(old.folder, last)

    log = await history.log(None, 10)
    assert [f"{commit.when:%Y-%m-%d}" for commit in log.commits] == ["2020-01-01", told]
    assert f"{(await history.lines('a', 1, 1))[0].commit.when:%Y-%m-%d}" == told


async def test_a_repository_that_is_gone_or_has_lost_the_commit_has_no_history(old: OldRepository) -> None:
    *_, head = grown(old)
    with pytest.raises(HistoryUnavailable):
        await RepositoryPast(old.folder, "1" * 40).log(None, 1)
    shutil.rmtree(old.folder)
    with pytest.raises(HistoryUnavailable):
        await RepositoryPast(old.folder, head).log(None, 1)


async def test_a_workspace_remembers_where_its_files_came_from(old: OldRepository, tmp_path: Path) -> None:
    *_, head = grown(old)
    workspace = await WorkspaceStore(tmp_path / "workspaces").create("t1")
    assert await workspace.past() is None

    await workspace.came_from(str(old.folder), head)

    again = await WorkspaceStore(tmp_path / "workspaces").open("t1").past()
    assert again is not None
    assert len((await again.log(None, 10)).commits) == 5
