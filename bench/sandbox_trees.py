"""How long it takes to move a tree into a sandbox and out of it again."""

import asyncio
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from bench import place
from bench.measure import Figure
from domain.command import Command, shell
from domain.files import File, TreeChange

FILES, BYTES, ROUNDS, SYNCS = 2000, 20_000_000, 7, 20


def _tree() -> dict[str, File]:
    """2,000 files, 20 MB in all, of the same bytes every time."""
    chance = random.Random(1)
    size = BYTES // FILES
    return {f"src/part{n % 40}/file{n}.py": File(content=chance.randbytes(size)) for n in range(FILES)}


def _by_docker(source: Path, target: Path, container: str) -> float:
    put = f"tar -C {source} -c . | docker exec -i -u 30000:30000 {container} tar -C /workspace -x"
    get = f"docker exec -u 30000:30000 {container} tar -C /workspace -c . | tar -C {target} -x"
    started = time.perf_counter()
    for script in (put, get):
        subprocess.run(["/bin/sh", "-c", script], check=True, capture_output=True)
    return time.perf_counter() - started


async def transfer() -> list[Figure]:
    """Putting the tree and fetching it again, against ``tar | docker exec tar``; in turns."""
    tree = _tree()
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder, place.plain_container("large") as (_, container):
        source = Path(folder) / "source"
        for path, file in tree.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(file.content)
        async with place.sandboxes() as leasing:
            for number in range(ROUNDS):
                async with leasing.lease(place.request(profile="large")) as sandbox:
                    started = time.perf_counter()
                    await sandbox.put(TreeChange(written=tree), clear=True)
                    put = time.perf_counter() - started
                    await sandbox.run(shell("find . -type f -exec touch {} +"))
                    await asyncio.sleep(0.1)
                    started = time.perf_counter()
                    fetched = await sandbox.fetch()
                    ours.append(put + time.perf_counter() - started)
                    assert len(fetched.change.written) == FILES
                target = Path(folder) / f"target{number}"
                target.mkdir()
                theirs.append(await asyncio.to_thread(_by_docker, source, target, container))
    mine, plain = statistics.median(ours[1:]), statistics.median(theirs[1:])
    compared = f"{mine * 1000:.0f} ms against {plain * 1000:.0f} ms; target: at most 2"
    return [Figure("tree_put_get_x", mine / plain, "x", compared)]


async def sync() -> list[Figure]:
    """Fetching what changed when that is one file of the tree."""
    took = []
    async with place.sandboxes() as leasing, leasing.lease(place.request(profile="large")) as sandbox:
        await sandbox.put(TreeChange(written=_tree()), clear=True)
        await asyncio.sleep(0.1)
        await sandbox.fetch()
        for number in range(SYNCS):
            assert (await sandbox.run(Command(argv=("sh", "-c", f"echo {number} > src/part1/file1.py")))).ok
            await asyncio.sleep(0.05)
            started = time.perf_counter()
            fetched = await sandbox.fetch()
            took.append(time.perf_counter() - started)
            assert list(fetched.change.written) == ["src/part1/file1.py"], list(fetched.change.written)[:3]
    return [Figure("sync_one_file_ms", statistics.median(took) * 1000, "ms", "target: at most 20")]
