"""Cold and warm seconds of aider's RepoMap over a folder. Run with a Python that has aider-chat."""

import importlib.metadata
import statistics
import sys
import tempfile
import time
from pathlib import Path

from aider.repomap import RepoMap

FOLDER, BUDGET, COLD_ROUNDS, WARM_ROUNDS = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])


class Console:
    """What RepoMap reads files and complains with."""

    def read_text(self, path):
        """A file's text."""
        return Path(path).read_text(encoding="utf-8", errors="replace")

    def tool_output(self, *words):
        """Says nothing."""

    tool_warning = tool_error = tool_output


class Model:
    """Counts tokens in no time."""

    def token_count(self, text):
        """Four characters to a token."""
        return len(text) // 4


def timed(repo_map, files):
    """Seconds for a map."""
    started = time.perf_counter()
    assert repo_map.get_repo_map([], files, force_refresh=True)
    return time.perf_counter() - started


def main():
    """Prints the median seconds, cold and warm, and the version."""
    files = [str(path) for path in sorted(FOLDER.rglob("*")) if path.is_file()]
    edited = [path for path in files if path.endswith(".py")] or files
    cold = []
    for _ in range(COLD_ROUNDS):
        with tempfile.TemporaryDirectory() as cache:
            RepoMap.TAGS_CACHE_DIR = cache
            repo_map = RepoMap(map_tokens=BUDGET, root=str(FOLDER), main_model=Model(), io=Console())
            cold.append(timed(repo_map, files))
            repo_map.TAGS_CACHE.close()
    with tempfile.TemporaryDirectory() as cache:
        RepoMap.TAGS_CACHE_DIR = cache
        repo_map = RepoMap(map_tokens=BUDGET, root=str(FOLDER), main_model=Model(), io=Console())
        timed(repo_map, files)
        warm = []
        for number in range(WARM_ROUNDS):
            path = Path(edited[number * len(edited) // WARM_ROUNDS])
            path.write_bytes(path.read_bytes() + b"\n\n")
            warm.append(timed(repo_map, files))
    print(statistics.median(cold), statistics.median(warm), importlib.metadata.version("aider-chat"))


if __name__ == "__main__":
    main()
