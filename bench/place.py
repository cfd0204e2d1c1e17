"""Sandboxes of a benchmark's own, and plain Docker beside them."""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import docker

from domain.command import Command
from sandbox import hardening, images
from sandbox.base import Sandbox, SandboxRequest
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes, build_of
from sandbox.engine import DockerEngine
from sandbox.node import Node
from sandbox.profiles import profile

TRUE = Command(argv=("/bin/true",))
SNIPPET = "print(sum(range(1000)))"
PYTHON = Command(argv=("python3", "-c", SNIPPET))
IMAGE = images.tag("python")
HOST = os.environ.get("DOCKER_HOST")


def request(**more: Any) -> SandboxRequest:
    """A sandbox of the profile ``default``."""
    return SandboxRequest(**{"task_id": "bench", "purpose": "bench", "wait_s": 600.0} | more)


@contextlib.asynccontextmanager
async def sandboxes(warm: int = 0, **more: Any) -> AsyncIterator[DockerSandboxes]:
    """Sandboxes of an instance of their own, with so many kept ready."""
    instance = Instance(id=secrets.token_hex(8), home=secrets.token_hex(8))
    pool = {build_of(request(**more)): warm} if warm else {}
    leasing = DockerSandboxes([Node(DockerEngine(HOST), instance)], instance, pool)
    try:
        yield leasing
    finally:
        await leasing.close()


async def filled(leasing: DockerSandboxes) -> None:
    """Waits until the pool is full, and a moment longer, so that its work does not disturb."""
    leasing.pool.start()
    await leasing.pool.filled()
    await leasing.settled()
    await asyncio.sleep(0.2)


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def run_true(sandbox: Sandbox) -> None:
    """The shortest command, which must succeed."""
    assert (await sandbox.run(TRUE)).ok


def body(name: str, size: str = "default") -> dict[str, Any]:
    """What our own containers are created from, for a container that is not ours."""
    labels = hardening.Labels(lease="", owner=name, home="", task_id="", deadline=time.time() + 600)
    made = hardening.Body(image=IMAGE, profile=profile(size), uid=30_000, labels=labels)
    return hardening.runner_config(made, 600.0)


@contextlib.contextmanager
def plain_container(size: str = "default") -> Iterator[tuple[docker.APIClient, str]]:
    """A container of the same image and limits that idles, for ``docker exec``."""
    client = docker.APIClient(base_url=HOST, version="auto")
    config = body("bench", size) | {"Entrypoint": ["sleep"], "Cmd": ["600"]}
    made = client.create_container_from_config(config)["Id"]
    try:
        client.start(made)
        yield client, made
    finally:
        client.remove_container(made, force=True)
        client.close()


def docker_run() -> None:
    """What a person would do: ``docker run --rm``, without any of the hardening."""
    argv = ["docker", "run", "--rm", "--network", "none", IMAGE, "python3", "-c", SNIPPET]
    done = subprocess.run(argv, capture_output=True, check=True)
    assert done.stdout == b"499500\n", json.dumps(done.stderr.decode())
