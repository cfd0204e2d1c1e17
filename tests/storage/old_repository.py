"""A repository with a past, made by libgit2 so that every commit has a time of its own."""

from collections.abc import Mapping
from pathlib import Path

import pygit2
from pygit2.enums import FileMode


class OldRepository:
    """Makes commits, an hour apart from 2020 on; ``main`` is checked out nowhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = pygit2.init_repository(str(folder), bare=True, initial_head="main")
        self._time = 1_577_836_800

    def commit(
        self,
        files: Mapping[str, str | bytes],
        message: str = "m",
        author: str = "Ada",
        *parents: str,
        branch: str = "main",
    ) -> str:
        """A commit of these files and no others, on top of the branch or of ``parents``; its id."""
        self._time += 3600
        index = pygit2.Index()
        for path, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            index.add(pygit2.IndexEntry(path, self.repository.create_blob(data), FileMode.BLOB))
        name = f"refs/heads/{branch}"
        tip = [str(self.repository.references[name].target)] if name in self.repository.references else []
        who = pygit2.Signature(author, "a@localhost", self._time)
        made = self.repository.create_commit(
            None, who, who, message, index.write_tree(self.repository), list(parents or tip)
        )
        self.repository.references.create(name, made, force=True)
        return str(made)
