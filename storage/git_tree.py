"""Between our file trees and git's."""

import pygit2
from pygit2.enums import FileMode

from domain.errors import HostileOutput
from domain.files import File, FileTree, TreeChange


def author() -> pygit2.Signature:
    """Who signs snapshots: now, in UTC."""
    return pygit2.Signature("Soundstage", "soundstage@localhost")


def apply_change(repository: pygit2.Repository, tree: pygit2.Tree | None, change: TreeChange) -> pygit2.Oid:
    """The tree with a change applied. What the change does not name stays, submodules and links included.

    HostileOutput when the change needs the same path as a file and as a folder.
    """
    index = pygit2.Index()
    if tree is not None:
        index.read_tree(tree)
    known = {entry.path for entry in index}
    for path in sorted(change.deleted & known):
        index.remove(path)
    known -= change.deleted
    _make_room(index, known, change)
    for path, file in change.written.items():
        content = file.link.encode() if file.link is not None else file.content
        index.add(pygit2.IndexEntry(path, repository.create_blob(content), _mode(file)))
    return index.write_tree(repository)


def _make_room(index: pygit2.Index, known: set[str], change: TreeChange) -> None:
    """Removes what stood where the change now needs a folder, or a file."""
    folders = {"/".join(parts[:depth]) for parts in map(_split, change.written) for depth in range(1, len(parts))}
    if clash := folders & set(change.written):
        raise HostileOutput(f"{sorted(clash)[0]!r} cannot be both a file and a folder. Rename one of them.")
    written = set(change.written)
    for path in known:
        parts = _split(path)
        if path in folders or any("/".join(parts[:depth]) in written for depth in range(1, len(parts))):
            index.remove(path)


def _split(path: str) -> list[str]:
    return path.split("/")


def _mode(file: File) -> FileMode:
    if file.link is not None:
        return FileMode.LINK
    return FileMode.BLOB_EXECUTABLE if file.executable else FileMode.BLOB


def read_tree(repository: pygit2.Repository, tree: pygit2.Tree, prefix: str = "") -> FileTree:
    """Every file and link below a tree; submodules are left out."""
    files: FileTree = {}
    for entry in tree:
        path = f"{prefix}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            files.update(read_tree(repository, entry, f"{path}/"))
        elif isinstance(entry, pygit2.Blob):
            files[path] = _file(entry)
    return files


def file_at(repository: pygit2.Repository, tree: pygit2.Tree, path: str) -> File | None:
    """The file or link at a path, or None."""
    try:
        entry = tree[path]
    except KeyError:
        return None
    return _file(entry) if isinstance(entry, pygit2.Blob) else None


def _file(blob: pygit2.Blob) -> File:
    if blob.filemode == FileMode.LINK:
        return File(link=blob.data.decode("utf-8", "surrogateescape"))
    return File(content=blob.data, executable=blob.filemode == FileMode.BLOB_EXECUTABLE)
