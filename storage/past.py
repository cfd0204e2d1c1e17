"""The history of an imported repository, read where the repository is.

Nothing of it is copied: a pack of the newest 1,000 of 50,000 commits takes nine seconds to write, and answers less.
Where the repository was moved or the commit is gone, there is no history, and the task goes on without. Only what the
imported commit descends from is read, by libgit2, and at most 10,000 commits back: that takes up to two seconds.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pygit2
from pygit2.enums import SortMode

from domain.errors import HistoryUnavailable
from domain.past import LineOrigin, PastCommit, PastLog

MOST_COMMITS = 10_000
MESSAGE_CHARACTERS = 4_000
NAME_CHARACTERS = 100
EARLIEST, LATEST = -62_135_596_800, 253_402_300_799
"""Seconds of the years 1 to 9999, which can be told; a commit may claim any others."""

T = TypeVar("T")


class RepositoryPast:
    """Implements ``domain.past.Past`` for the history of one commit."""

    def __init__(self, folder: Path, commit: str) -> None:
        self._folder = folder
        self._commit = commit

    async def log(self, path: str | None, most: int) -> PastLog:
        """The newest commits, or the newest of those that changed a file or folder."""
        return await self._read(lambda repository: _log(self._walk(repository), path, most))

    async def commit(self, prefix: str) -> PastCommit:
        """The commit whose id begins so; KeyError."""
        return await self._read(lambda repository: _past(self._find(repository, prefix)))

    async def patch(self, commit: str, path: str | None, most: int) -> str:
        """What a commit changed; KeyError."""
        return await self._read(lambda repository: _patch(repository, self._find(repository, commit), path, most))

    async def lines(self, path: str, first: int, last: int) -> tuple[LineOrigin, ...]:
        """Which commits last changed lines; KeyError."""
        return await self._read(lambda repository: self._lines(repository, path, first, last))

    async def _read(self, work: Callable[[pygit2.Repository], T]) -> T:
        def run() -> T:
            try:
                repository = pygit2.Repository(str(self._folder))
                if self._commit not in repository:
                    raise HistoryUnavailable
            except (OSError, pygit2.GitError) as error:
                raise HistoryUnavailable from error
            try:
                return work(repository)
            except (OSError, ValueError, pygit2.GitError) as error:
                raise KeyError(str(error)) from error

        return await asyncio.to_thread(run)

    def _walk(self, repository: pygit2.Repository) -> Iterator[pygit2.Commit]:
        return repository.walk(self._commit, SortMode.NONE)

    def _find(self, repository: pygit2.Repository, prefix: str) -> pygit2.Commit:
        found = repository[prefix].peel(pygit2.Commit)
        if str(found.id) != self._commit and not repository.descendant_of(self._commit, found.id):
            raise KeyError(prefix)  # of another branch
        return found

    def _lines(self, repository: pygit2.Repository, path: str, first: int, last: int) -> tuple[LineOrigin, ...]:
        data = repository[self._commit].peel(pygit2.Tree)[path].peel(pygit2.Blob).data
        count = data.count(b"\n") + bool(data and not data.endswith(b"\n"))
        if first > count:
            raise KeyError(first)
        oldest = next(islice(self._walk(repository), MOST_COMMITS - 1, None), None)
        blame = repository.blame(
            path, newest_commit=self._commit, oldest_commit=None if oldest is None else oldest.id,
            min_line=first, max_line=min(last, count),
        )  # fmt: skip
        return tuple(
            LineOrigin(
                first=hunk.final_start_line_number,
                last=hunk.final_start_line_number + hunk.lines_in_hunk - 1,
                commit=_past(repository[hunk.final_commit_id].peel(pygit2.Commit)),
                or_earlier=hunk.boundary and oldest is not None,
            )
            for hunk in blame
        )


def _log(walk: Iterator[pygit2.Commit], path: str | None, most: int) -> PastLog:
    found: list[PastCommit] = []
    looked_at = 0
    for commit in islice(walk, MOST_COMMITS):
        looked_at += 1
        if path is None or _changed(commit, path):
            found.append(_past(commit))
            if len(found) == most:
                break
    whole = next(walk, None) is None
    return PastLog(commits=tuple(found), looked_at=looked_at, whole=whole)


def _changed(commit: pygit2.Commit, path: str) -> bool:
    """Whether a commit has something else at a path than each of its parents."""
    here = _at(commit, path)
    return all(_at(parent, path) != here for parent in commit.parents) if commit.parents else here is not None


def _at(commit: pygit2.Commit, path: str) -> pygit2.Oid | None:
    with contextlib.suppress(KeyError):
        return commit.tree[path].id
    return None


def _patch(repository: pygit2.Repository, commit: pygit2.Commit, path: str | None, most: int) -> str:
    first = not commit.parents
    diff = commit.tree.diff_to_tree(swap=True) if first else repository.diff(commit.parents[0], commit)
    parts: list[str] = []
    left = most
    for patch in filter(None, diff):
        names = (patch.delta.old_file.path, patch.delta.new_file.path)
        if path is not None and not any(name == path or name.startswith(f"{path}/") for name in names):
            continue
        if left <= 0:
            parts.append("[more files changed; ask for one of them by its path]\n")
            break
        text = patch.data.decode("utf-8", "replace")
        parts.append(text if len(text) <= left else f"{text[:left]}\n[the rest of this file's change is left out]\n")
        left -= len(text)
    return "".join(parts)


def _past(commit: pygit2.Commit) -> PastCommit:
    return PastCommit(
        id=str(commit.id),
        author=commit.author.raw_name.decode("utf-8", "replace")[:NAME_CHARACTERS],
        when=datetime.fromtimestamp(min(max(commit.commit_time, EARLIEST), LATEST), UTC),
        message=commit.raw_message.decode("utf-8", "replace")[:MESSAGE_CHARACTERS].strip(),
    )
