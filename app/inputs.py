"""What a run starts from: a repository and the user's tests."""

import asyncio
from pathlib import Path

from domain.base import Value
from domain.errors import HostileOutput, InvalidRepository, UsageError
from domain.files import File, FileTree, is_test_file, vet_path
from domain.task_service import Origin
from storage.repository_import import MAX_BYTES, MAX_FILES, read_repository


class Inputs(Value):
    """The files to start from, which of them are the user's tests, and what the user should know of them. ``origin``
    is the repository, where there is one."""

    files: FileTree
    origin: Origin | None = None
    tests: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def read_inputs(repo: Path | None, tests: list[Path]) -> Inputs:
    """The repository's newest commit, with the tests on top. InvalidRepository, UsageError."""
    files: FileTree = {}
    notes: list[str] = []
    origin = None
    if repo is not None:
        imported = await read_repository(repo)
        resolved = await asyncio.to_thread(repo.resolve)
        files, origin = dict(imported.files), Origin(repository=str(resolved), commit=imported.commit)
        if imported.uncommitted:
            shown = ", ".join(imported.uncommitted[:5])
            notes.append(
                f"{len(imported.uncommitted)} files have changes that are not committed ({shown}); "
                "the work starts from the last commit."
            )
    protected: FileTree = {}
    for path in tests:
        protected |= await asyncio.to_thread(_read_tests, path, repo)
    return Inputs(files=files | protected, origin=origin, tests=tuple(sorted(protected)), notes=tuple(notes))


def _read_tests(path: Path, repo: Path | None) -> FileTree:
    if not path.exists():
        raise UsageError(f"{path} does not exist. Name a test file or a folder of tests with --tests.")
    if path.is_file():
        found = {_place(path, path.parent, repo, "tests"): _file(path)}
    else:
        inside = [file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file, path)]
        if len(inside) > MAX_FILES:
            raise UsageError(f"{path} holds more than {MAX_FILES} files. Name the folder that holds only the tests.")
        found = {_place(file, path, repo, path.resolve().name): _file(file) for file in inside}
    if not any(is_test_file(name) for name in found):
        raise UsageError(f"{path} holds no test. Test files are called test_*.py or *_test.py.")
    return found


def _hidden(file: Path, root: Path) -> bool:
    parts = file.relative_to(root).parts
    return file.is_symlink() or any(part.startswith(".") or part == "__pycache__" for part in parts)


def _place(file: Path, root: Path, repo: Path | None, folder: str) -> str:
    """Where a test file goes in the workspace: where it is in the repository, or else below ``folder``."""
    try:
        if repo is not None and file.resolve().is_relative_to(repo.resolve()):
            return vet_path(file.resolve().relative_to(repo.resolve()).as_posix())
        return vet_path(f"{folder}/{file.relative_to(root).as_posix()}")
    except HostileOutput as error:
        raise InvalidRepository(f"{file} cannot be used. {error}") from error


def _file(path: Path) -> File:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES // 2**20} MiB. Name a smaller file with --tests.")
        return File(content=path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Check who may read it.") from error
