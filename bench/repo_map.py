"""How quickly the map of a repository is drawn, how much memory that takes, and how quickly aider's RepoMap does it.

Cold is from empty caches, the reading of the files from the disk included. Warm is the next map in the same process
after one file was edited; that is aider's best case, too: a new process of it has to read its cache from the disk.
Without PATH, the tree is made of the Python files of the standard library and of the packages beside it, in the order
of their paths, until it has 500,000 lines. aider-chat is installed into a virtual environment of its own below build/.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import Figure, show
from bench.repo_map_peer import aider
from bench.repo_map_place import PeakMemory, copy_of, library_tree
from domain.files import File, FileTree
from mcp_server.parsers.parsers import Parsers
from mcp_server.repo_map.repo_map import RepoMap
from storage.folder_import import read_folder

BUDGET_TOKENS = 4096
COLD_ROUNDS, WARM_ROUNDS = 3, 9


async def cold(folder: Path) -> float:
    """Seconds for the first map of a tree that nothing is known of."""
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        async with Parsers() as parsers:
            assert await RepoMap(parsers, Path(cache) / "tags").show(await read_folder(folder), BUDGET_TOKENS)
            return time.perf_counter() - started


async def warm(tree: FileTree) -> float:
    """Seconds for a map after one file was edited: the median, another file each time."""
    paths = [path for path in sorted(tree) if path.endswith(".py")] or sorted(tree)
    seconds = []
    with tempfile.TemporaryDirectory() as cache:
        async with Parsers() as parsers:
            repo_map = RepoMap(parsers, Path(cache) / "tags")
            await repo_map.show(tree, BUDGET_TOKENS)
            for number in range(WARM_ROUNDS):
                path = paths[number * len(paths) // WARM_ROUNDS]
                tree[path] = File(content=tree[path].content + b"\ndef new(): pass\n")
                started = time.perf_counter()
                await repo_map.show(tree, BUDGET_TOKENS)
                seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


async def measure(folder: Path, peers: bool) -> list[Figure]:
    """Every figure for a folder."""
    with PeakMemory() as memory:
        colds = [await cold(folder) for _ in range(COLD_ROUNDS)]
        tree = await read_folder(folder)
        warm_s = await warm(tree)
    lines = sum(file.content.count(b"\n") for file in tree.values())
    cold_s = statistics.median(colds)
    figures = [
        Figure("files", len(tree), "", f"{lines} lines"),
        Figure("cold_s", cold_s, "s", "at most 20 for 500,000 lines"),
        Figure("warm_ms", warm_s * 1000, "ms", "at most 200 for 500,000 lines"),
        Figure("rss_mb", memory.most_bytes / 1e6, "MB", "at most 500; this process and its workers together"),
    ]
    return figures + (await aider(folder, BUDGET_TOKENS, cold_s, warm_s) if peers else [])


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="?", type=Path, help="a folder; it is copied and stays as it is")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--no-peers", action="store_true", help="without aider, which is installed for it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = copy_of(options.path, Path(place)) if options.path else library_tree(Path(place))
        show(asyncio.run(measure(folder, not options.no_peers)), options.json)


if __name__ == "__main__":
    main()
