"""Reading a person's git repository into a workspace: the newest commit's files, by libgit2, never a checkout."""

import asyncio
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from domain.base import Value
from domain.errors import HostileOutput, InvalidRepository
from domain.files import File, FileTree, vet_link, vet_path

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024 * 1024


class ImportedRepository(Value):
    """What was read: the files, the commit they are from, and the paths with changes that are not committed."""

    files: FileTree
    commit: str
    uncommitted: tuple[str, ...] = ()


async def read_repository(folder: Path, root: Path | None = None) -> ImportedRepository:
    """The files of the newest commit; the repository's own folder must lie below ``root``, where that is given.

    InvalidRepository says what is wrong with the folder and what to do.
    """
    return await asyncio.to_thread(_read, folder, root)


def _read(folder: Path, root: Path | None) -> ImportedRepository:
    try:
        return _read_commit(_open(folder, root), folder)
    except (pygit2.GitError, KeyError, OSError) as error:
        raise InvalidRepository(
            f"{folder} is damaged, or is no git repository: {error}. Check it with git fsck and run it again."
        ) from error


def _read_commit(repository: pygit2.Repository, folder: Path) -> ImportedRepository:
    if repository.head_is_unborn:
        raise InvalidRepository(f"{folder} has no commit yet. Commit something (git commit) and run it again.")
    commit = repository.head.peel(pygit2.Commit)
    files: FileTree = {}
    _collect(repository, commit.tree, "", files, [0])
    status = {} if repository.is_bare else repository.status(untracked_files="no")
    return ImportedRepository(files=files, commit=str(commit.id), uncommitted=tuple(sorted(status)))


def _open(folder: Path, root: Path | None) -> pygit2.Repository:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InvalidRepository(f"{folder} {what}. Point --repo at a folder with a git repository.")
    found = pygit2.discover_repository(str(folder))
    if found is None:
        raise InvalidRepository(
            f"{folder} is no git repository. Make it one (git init; git add .; git commit) and run it again."
        )
    if root is not None and not Path(found).resolve().is_relative_to(root.resolve()):
        raise InvalidRepository(f"The repository of {folder} does not lie below {root}. Give another one.")
    repository = pygit2.Repository(found)
    top = Path(repository.workdir or repository.path)
    if top.resolve() != folder.resolve() and not repository.is_bare:
        raise InvalidRepository(f"{folder} is inside the repository {top}. Point --repo at {top}.")
    return repository


def _collect(repository: pygit2.Repository, tree: pygit2.Tree, prefix: str, files: FileTree, size: list[int]) -> None:
    for entry in tree:
        try:
            path = vet_path(f"{prefix}{entry.name}")
        except (HostileOutput, UnicodeDecodeError) as error:
            raise InvalidRepository(f"A path of the repository cannot be used: {error}") from error
        if isinstance(entry, pygit2.Tree):
            _collect(repository, entry, f"{path}/", files, size)
        elif isinstance(entry, pygit2.Blob):
            size[0] += entry.size
            files[path] = _file(path, entry)
        if len(files) > MAX_FILES or size[0] > MAX_BYTES:
            raise InvalidRepository(
                f"The repository is too large: more than {MAX_FILES} files or {MAX_BYTES // 2**20} MiB. "
                "Point --repo at a smaller one, for example one that holds only the part to work on."
            )


def _file(path: str, blob: pygit2.Blob) -> File:
    if blob.filemode != FileMode.LINK:
        return File(content=blob.data, executable=blob.filemode == FileMode.BLOB_EXECUTABLE)
    try:
        return File(link=vet_link(path, blob.data.decode("utf-8", "surrogateescape")))
    except HostileOutput as error:
        raise InvalidRepository(f"The repository cannot be imported. {error}") from error
