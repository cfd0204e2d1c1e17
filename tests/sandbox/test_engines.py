"""Several engines, and engines that stop in the middle: with a second real one, which only these tests use."""

import asyncio
import contextlib
import gc
import os
import secrets
from collections.abc import AsyncIterator, Iterator

import docker
import pytest

from domain.command import shell
from domain.errors import InfrastructureError, SandboxLost
from sandbox.base import SandboxRequest
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes, build_of
from sandbox.engine import DockerEngine
from sandbox.hardening import HOME_LABEL
from sandbox.node import Node, NodeLimits
from tests.sandbox.second_engine import SecondEngine, second_engine

pytestmark = [
    pytest.mark.xdist_group("second-engine"),
    # docker-py does not close the socket of a connection that was refused.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HOST = os.environ.get("DOCKER_HOST")
REQUEST = SandboxRequest(task_id="a-task", purpose="a test", profile="small")


@pytest.fixture(scope="module")
def second() -> Iterator[SecondEngine]:
    """The engine, running."""
    with second_engine() as engine:
        yield engine


@pytest.fixture(autouse=True)
def sockets_of_refused_connections() -> Iterator[None]:
    """They go while the test's own filter for warnings holds."""
    yield
    gc.collect()


@contextlib.asynccontextmanager
async def leasing(*hosts: str | None, warm: int = 0, weights: tuple[float, ...] = ()) -> AsyncIterator[DockerSandboxes]:
    """Sandboxes on these engines, none of which is left behind on those that answer."""
    instance = Instance(id=secrets.token_hex(8), home=secrets.token_hex(8))
    shares = weights or (1.0,) * len(hosts)
    nodes = [
        Node(DockerEngine(host), instance, weight, NodeLimits(memory=8 << 30))
        for host, weight in zip(hosts, shares, strict=True)
    ]
    sandboxes = DockerSandboxes(nodes, instance, {build_of(REQUEST): warm} if warm else {})
    try:
        yield sandboxes
    finally:
        await sandboxes.close()
        for host in hosts:
            with contextlib.closing(docker.APIClient(base_url=host, timeout=30)) as client:
                assert not client.containers(all=True, filters={"label": f"{HOME_LABEL}={instance.home}"})


async def test_sandboxes_are_shared_out_by_weight(second: SecondEngine) -> None:
    async with leasing(HOST, second.host, weights=(1.0, 2.0)) as sandboxes, contextlib.AsyncExitStack() as stack:
        leased = [await stack.enter_async_context(sandboxes.lease(REQUEST)) for _ in range(6)]
        engines = [sandbox.lease.engine for sandbox in leased]

        assert (engines.count(second.host), len(engines) - engines.count(second.host)) == (4, 2)
        assert all([(await sandbox.run(shell("true"))).ok for sandbox in leased])


async def test_an_engine_that_dies_takes_its_leases_with_it_and_the_next_ones_go_elsewhere(
    second: SecondEngine,
) -> None:
    async with leasing(HOST, second.host, weights=(1.0, 100.0)) as sandboxes:
        try:
            async with sandboxes.lease(REQUEST) as kept, sandboxes.lease(REQUEST) as lost:
                assert {kept.lease.engine, lost.lease.engine} == {second.host, "the default engine"}
                if lost.lease.engine != second.host:
                    kept, lost = lost, kept
                running = asyncio.create_task(lost.run(shell("sleep 60", timeout_s=60)))
                await asyncio.sleep(0.5)
                await asyncio.to_thread(second.stop)
                with pytest.raises(SandboxLost):
                    await running
                assert (await kept.run(shell("true"))).ok

            async with sandboxes.lease(REQUEST) as sandbox:
                assert sandbox.lease.engine == "the default engine"
                assert (await sandbox.run(shell("true"))).ok
        finally:
            await asyncio.to_thread(second.start)
        await sandboxes.settled()


async def test_the_pool_is_rebuilt_after_a_restart_of_the_engine(second: SecondEngine) -> None:
    async with leasing(second.host, warm=2) as sandboxes:
        sandboxes.pool.start()
        await sandboxes.pool.filled()

        await asyncio.to_thread(second.stop)
        with pytest.raises(InfrastructureError):
            async with sandboxes.lease(REQUEST):
                raise AssertionError("leased")
        await asyncio.to_thread(second.start)

        await sandboxes.pool.filled()
        while True:  # those of before the restart are told apart from fresh ones by their first command
            async with sandboxes.lease(REQUEST) as sandbox:
                assert (await sandbox.run(shell("true"))).ok
                if sandbox.lease.warm:
                    break
