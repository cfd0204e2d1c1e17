"""Between our file trees and git's."""

from dataclasses import dataclass, field

import pygit2
from pygit2.enums import FileMode

from domain.errors import HostileOutput
from domain.files import File, FileTree, TreeChange


def author() -> pygit2.Signature:
    """Who signs snapshots: now, in UTC."""
    return pygit2.Signature("Soundstage", "soundstage@localhost")


@dataclass
class _Place:
    """What a change does at one path: a file that is written there, or one that is deleted, and what is below it."""

    file: File | None = None
    deleted: bool = False
    below: "dict[str, _Place]" = field(default_factory=dict)

    def at(self, path: str) -> "_Place":
        """The place of a path below this one."""
        place = self
        for name in path.split("/"):
            place = place.below.setdefault(name, _Place())
        return place

    def written(self, path: str = "") -> bool:
        """Whether a file is written here or below; HostileOutput when both."""
        below = [place.written(f"{path}/{name}" if path else name) for name, place in self.below.items()]
        if self.file is not None and any(below):
            raise HostileOutput(f"{path!r} cannot be both a file and a folder. Rename one of them.")
        return self.file is not None or any(below)


def apply_change(repository: pygit2.Repository, tree: pygit2.Tree | None, change: TreeChange) -> pygit2.Oid:
    """The tree with a change applied. What the change does not name stays, submodules and links included, and only the
    folders that it names are read.

    HostileOutput when the change needs the same path as a file and as a folder.
    """
    root = _Place()
    for path in change.deleted:
        root.at(path).deleted = True
    for path, file in change.written.items():
        root.at(path).file = file
    root.written()
    return _built(repository, tree, root).write()


def _built(repository: pygit2.Repository, tree: pygit2.Tree | None, place: _Place) -> pygit2.TreeBuilder:
    builder = repository.TreeBuilder(tree) if tree is not None else repository.TreeBuilder()
    for name, one in place.below.items():
        known = tree[name] if tree is not None and name in tree else None
        if one.file is not None:
            builder.insert(name, _blob(repository, one.file), _mode(one.file))
            continue
        folder = known if isinstance(known, pygit2.Tree) else None
        if one.deleted and known is not None and folder is None:
            builder.remove(name)
        if folder is None and not one.written():
            continue
        below = _built(repository, folder, one)
        if len(below):
            builder.insert(name, below.write(), FileMode.TREE)
        else:
            # Git knows no empty folders.
            builder.remove(name)
    return builder


def _blob(repository: pygit2.Repository, file: File) -> pygit2.Oid:
    return repository.create_blob(file.link.encode() if file.link is not None else file.content)


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
