"""Trees for the benchmark of the repository map, and the memory that it takes."""

import shutil
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

LINES = 500_000
SAMPLE_S = 0.02
SKIPPED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "node_modules")


def copy_of(folder: Path, place: Path) -> Path:
    """A copy of a folder's files: aider keeps its cache beside them, and files are edited."""
    return Path(shutil.copytree(folder, place / "tree", ignore=SKIPPED, symlinks=True, ignore_dangling_symlinks=True))


def library_tree(place: Path) -> Path:
    """Python files of this interpreter and its packages, until there are 500,000 lines."""
    lines = 0
    for root, path in _python_files():
        content = path.read_bytes()
        target = place / "tree" / root.name / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        lines += content.count(b"\n")
        if lines >= LINES:
            break
    return place / "tree"


def _python_files() -> Iterator[tuple[Path, Path]]:
    for root in (Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))):
        for path in sorted(root.rglob("*.py")):
            if path.is_file() and "site-packages" not in path.relative_to(root).parts:
                yield root, path


class PeakMemory:
    """The most that this process and those it started held at the same time, by looking again and again."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._looking.join()

    def _look(self) -> None:
        me = psutil.Process()
        while not self._ended.wait(SAMPLE_S):
            held = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    held += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.most_bytes = max(self.most_bytes, held)
