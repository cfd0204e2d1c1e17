"""What is left behind: memory, containers, processes, descriptors, files."""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import docker

from bench import place
from bench.measure import Figure
from domain.command import Command
from sandbox.base import OutputChunk
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes
from sandbox.engine import DockerEngine
from sandbox.hardening import HOME_LABEL
from sandbox.node import Node

OUTPUT = 10_000_000_000
LEASES, RUNNING = 1000, 8
ROOT = Path(__file__).resolve().parent.parent


def _rss() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def big_output() -> list[Figure]:
    """10 GB on stdout, followed to the end: by how much the memory of this process grows at most."""
    command = Command(argv=("head", "-c", str(OUTPUT), "/dev/zero"), timeout_s=600, output_limit=2 * OUTPUT)
    seen = most = 0
    async with place.sandboxes() as leasing, leasing.lease(place.request()) as sandbox:
        await place.run_true(sandbox)
        gc.collect()
        before = _rss()
        started = time.perf_counter()
        async with contextlib.aclosing(sandbox.stream(command)) as items:
            async for item in items:
                if isinstance(item, OutputChunk):
                    seen += len(item.data)
                    most = max(most, _rss())
    assert seen == OUTPUT, seen
    rate = OUTPUT / (time.perf_counter() - started) / 1e6
    return [Figure("stdout_10gb_rss_mb", (most - before) / 1e6, "MB", f"at {rate:.0f} MB/s; target: below 50")]


def _containers(home: str) -> int:
    with contextlib.closing(docker.APIClient(base_url=place.HOST, version="auto")) as client:
        return len(client.containers(all=True, filters={"label": f"{HOME_LABEL}={home}"}))


def _children() -> int:
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def many_leases() -> list[Figure]:
    """What is left after 1,000 leases in a row: containers, processes, descriptors and temporary files together."""
    instance = Instance(id=secrets.token_hex(8), home=secrets.token_hex(8))
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        try:
            leasing = DockerSandboxes([Node(DockerEngine(place.HOST), instance)], instance)
            await _lease(leasing, 20)
            gc.collect()
            before, children, descriptors = _rss(), _children(), _descriptors()
            await _lease(leasing, LEASES)
            gc.collect()
            grown = (_rss() - before) / 1e6
            left = _containers(instance.home) + len(os.listdir(folder))
            left += max(0, _children() - children) + max(0, _descriptors() - descriptors)
            await leasing.close()
        finally:
            tempfile.tempdir = None
    compared = "containers, processes, descriptors, files; target: 0"
    return [
        Figure("leaks_after_1000", left, "", compared),
        Figure("memory_after_1000_mb", grown, "MB", "how much this process has grown"),
    ]


async def _lease(leasing: DockerSandboxes, times: int) -> None:
    for _ in range(times):
        async with leasing.lease(place.request(profile="small")) as sandbox:
            await place.run_true(sandbox)
    await leasing.settled()


SERVICE = """
import asyncio, sys
from domain.command import shell
from sandbox.base import SandboxRequest
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes
from sandbox.engine import DockerEngine
from sandbox.node import Node

async def one(leasing, together):
    async with leasing.lease(SandboxRequest(task_id="t", purpose="p", profile="small")) as sandbox:
        await together.wait()
        print("running", flush=True)
        await sandbox.run(shell("trap '' TERM; setsid sleep 600 & sleep 600", timeout_s=600))

async def main(owner, home, host, count):
    instance = Instance(id=owner, home=home)
    leasing = DockerSandboxes([Node(DockerEngine(host or None), instance)], instance)
    together = asyncio.Barrier(int(count))
    await asyncio.gather(*(one(leasing, together) for _ in range(int(count))))

asyncio.run(main(*sys.argv[1:]))
"""


async def killed_service() -> list[Figure]:
    """A service with 8 running leases is killed; how many of them its successor leaves, or others' it takes."""
    dead, home = secrets.token_hex(8), secrets.token_hex(8)
    arguments = [dead, home, place.HOST or "", str(RUNNING)]
    service = subprocess.Popen([sys.executable, "-c", SERVICE, *arguments], stdout=subprocess.PIPE, cwd=ROOT)
    assert service.stdout is not None
    for _ in range(RUNNING):
        assert await asyncio.to_thread(service.stdout.readline) == b"running\n"
    running = _containers(home)
    assert running == RUNNING, running
    with place.plain_container() as (client, others):
        service.send_signal(signal.SIGKILL)
        await asyncio.to_thread(service.wait)
        successor = Instance(id=secrets.token_hex(8), home=home)
        started = time.perf_counter()
        leasing = DockerSandboxes([Node(DockerEngine(place.HOST), successor)], successor)
        reaped = await leasing.reap(lambda: [successor.id])
        await leasing.close()
        while (left := _containers(home)) and time.perf_counter() - started < 30:
            await asyncio.sleep(0.05)
        took = time.perf_counter() - started
        theirs = client.inspect_container(others)["State"]["Running"]
    service.stdout.close()
    compared = f"of {RUNNING}; {len(reaped)} by the reaper, the rest by themselves, in {took:.1f} s; target: 0"
    return [Figure("orphans_after_kill9", left + (0 if theirs else 1), "", compared)]
