"""A real engine with sandboxes of one test's own, and the proof that nothing of them is left."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import docker
import docker.errors

from sandbox.base import Sandbox, SandboxRequest
from sandbox.container import Build, Instance
from sandbox.docker_sandbox import DockerSandboxes
from sandbox.engine import DockerEngine
from sandbox.hardening import HOME_LABEL, LABEL
from sandbox.node import Node


class DockerPlace:
    """Leases under a home that no other test has; ``client`` looks at the engine past our own code."""

    def __init__(self, pool: Mapping[Build, int] | None = None) -> None:
        host = os.environ.get("DOCKER_HOST")
        self.instance = Instance(id=secrets.token_hex(8), home=secrets.token_hex(8))
        self.engine = DockerEngine(host)
        self.sandboxes = DockerSandboxes([Node(self.engine, self.instance)], self.instance, pool)
        self.client = docker.APIClient(base_url=host, version="auto", timeout=60)

    def lease(self, **more: Any) -> contextlib.AbstractAsyncContextManager[Sandbox]:
        """A sandbox of the small profile."""
        settings = {"task_id": "a-task", "purpose": "a test", "profile": "small"} | more
        return self.sandboxes.lease(SandboxRequest(**settings))

    def mine(self) -> list[dict[str, Any]]:
        """Every container of this place, in whatever state."""
        filters = {"label": f"{HOME_LABEL}={self.instance.home}"}
        found: list[dict[str, Any]] = self.client.containers(all=True, filters=filters)
        return found

    def inspect(self) -> dict[str, Any]:
        """What the engine says of the only container of this place."""
        (only,) = self.mine()
        seen: dict[str, Any] = self.client.inspect_container(only["Id"])
        assert seen["Config"]["Labels"][LABEL] == self.instance.id
        return seen

    def kill(self) -> None:
        """Ends the only container of this place from outside, as an operator would."""
        (only,) = self.mine()
        self.client.kill(only["Id"])


async def until(holds: Callable[[], object]) -> None:
    """Waits until ``holds()``; the test's own time limit is the end of its patience."""
    while True:
        if await asyncio.to_thread(holds):
            return
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def docker_place(pool: Mapping[Build, int] | None = None) -> AsyncIterator[DockerPlace]:
    """A place that is closed at the end, when none of its containers may be left."""
    place = DockerPlace(pool)
    try:
        try:
            yield place
        finally:
            await place.sandboxes.close()
    finally:
        await until(lambda: all(container["State"] != "removing" for container in place.mine()))
        left = place.mine()
        for container in left:
            with contextlib.suppress(docker.errors.APIError):
                place.client.remove_container(container["Id"], force=True)
        place.client.close()
    assert not left, f"{len(left)} containers were left behind: {[container['State'] for container in left]}"
