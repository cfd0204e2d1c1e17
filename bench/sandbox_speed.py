"""How long a lease and a command take."""

import statistics
import subprocess
import time

import docker

from bench import place
from bench.measure import Figure

LEASES, COMMANDS, COLD = 30, 150, 15


async def warm_lease() -> list[Figure]:
    """From asking for a sandbox, with a pool that is full, to the result of ``true``."""
    took = []
    async with place.sandboxes(warm=2) as leasing:
        for _ in range(LEASES):
            await place.filled(leasing)
            started = time.perf_counter()
            async with leasing.lease(place.request()) as sandbox:
                await place.run_true(sandbox)
                took.append(time.perf_counter() - started)
                assert sandbox.lease.warm
    return [Figure("warm_lease_true_ms", statistics.median(took) * 1000, "ms", "target: at most 6")]


def _local() -> float:
    started = time.perf_counter()
    subprocess.run(["/bin/true"], capture_output=True, check=True)
    return time.perf_counter() - started


def _docker_exec(client: docker.APIClient, container: str) -> float:
    started = time.perf_counter()
    made = client.exec_create(container, ["/bin/true"])["Id"]
    client.exec_start(made)
    assert client.exec_inspect(made)["ExitCode"] == 0
    return time.perf_counter() - started


async def commands() -> list[Figure]:
    """``true`` in a sandbox that is there, as a local subprocess, and by ``docker exec``; taken in turns."""
    ours, local, theirs = [], [], []
    with place.plain_container() as (client, container):
        async with place.sandboxes() as leasing, leasing.lease(place.request()) as sandbox:
            for number in range(COMMANDS):
                ours.append(await place.seconds(lambda: place.run_true(sandbox)))
                local.append(_local())
                if number % 5 == 0:
                    theirs.append(_docker_exec(client, container))
    mine, plain, execed = (statistics.median(values) * 1000 for values in (ours[5:], local[5:], theirs[1:]))
    compared = f"{mine:.2f} ms against {plain:.2f} ms locally; target: at most 2"
    return [
        Figure("warm_exec_over_subprocess_ms", mine - plain, "ms", compared),
        Figure("exec_vs_docker_exec_x", execed / mine, "x", f"docker exec: {execed:.1f} ms; target: at least 15"),
    ]


async def cold_lease() -> list[Figure]:
    """A lease without a pool and its first command, against creating and starting the same container; in turns."""
    client = docker.APIClient(base_url=place.HOST, version="auto")
    ours, bare = [], []
    async with place.sandboxes() as leasing:
        for _ in range(COLD):
            started = time.perf_counter()
            async with leasing.lease(place.request()) as sandbox:
                await place.run_true(sandbox)
                ours.append(time.perf_counter() - started)
            await leasing.settled()
            started = time.perf_counter()
            made = client.create_container_from_config(place.body("bench"))["Id"]
            client.start(made)
            bare.append(time.perf_counter() - started)
            client.remove_container(made, force=True)
    client.close()
    mine, plain = statistics.median(ours[1:]), statistics.median(bare[1:])
    compared = f"{mine * 1000:.0f} ms against {plain * 1000:.0f} ms; target: at most 1.25"
    return [Figure("cold_over_bare_x", mine / plain, "x", compared)]
