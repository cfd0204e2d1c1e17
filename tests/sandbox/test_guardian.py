"""The guardian, against a real engine: what a killed owner left is removed, what is in use is not."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from sandbox import hardening, images
from sandbox.guardian import Guardian
from sandbox.profiles import PROFILES
from tests.sandbox.docker_place import DockerPlace, until
from tests.sandbox.test_docker_sandbox import python_process

OWNER = """
import asyncio, json, sys
from sandbox.engine import DockerEngine
from sandbox.guardian import Guardian

async def main(host, name, config):
    guardian = Guardian(host or None)
    await guardian.watch(name)
    await DockerEngine(host or None).create(name, json.loads(config))
    print("created", flush=True)
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


def named(place: DockerPlace) -> tuple[str, dict[str, Any]]:
    """A container of this place that is not created yet."""
    owner = place.instance.id
    labels = hardening.Labels(lease=owner, owner=owner, home=place.instance.home, task_id="t", deadline=9e9)
    body = hardening.Body(image=images.tag("python"), profile=PROFILES["small"], uid=30_000, labels=labels)
    return f"soundstage-{owner}", hardening.runner_config(body, 60.0)


async def test_a_container_whose_owner_was_killed_before_it_started_is_removed(place: DockerPlace) -> None:
    name, config = named(place)
    host = os.environ.get("DOCKER_HOST", "")
    with python_process(OWNER, host, name, json.dumps(config)) as owner:
        assert owner.stdout is not None
        assert await asyncio.to_thread(owner.stdout.readline) == b"created\n"
        assert [container["State"] for container in place.mine()] == ["created"]

        owner.send_signal(signal.SIGKILL)

    await until(lambda: not place.mine())


async def test_a_container_that_was_taken_back_is_left_alone(place: DockerPlace) -> None:
    name, config = named(place)
    guardian = Guardian(os.environ.get("DOCKER_HOST"))
    await guardian.watch(name)
    await place.engine.create(name, config)

    guardian.forget(name)
    await guardian.close()

    assert len(place.mine()) == 1
    await place.engine.remove(name)


def guardians() -> set[int]:
    """The process ids of this process's guardians."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"sandbox.guardian" in command:
            found.add(int(folder.name))
    return found


async def test_a_guardian_that_was_killed_is_no_reason_to_fail(place: DockerPlace) -> None:
    others = guardians()
    async with place.lease():
        (guardian,) = guardians() - others
        os.kill(guardian, signal.SIGKILL)
        await until(lambda: guardian not in guardians())

    async with place.lease() as sandbox:
        assert sandbox.isolation == "docker/runc"


async def test_leases_at_once_share_one_guardian_that_ends_with_the_sandboxes(place: DockerPlace) -> None:
    async def hold(enough: asyncio.Event) -> None:
        async with place.lease():
            await enough.wait()

    others = guardians()
    enough = asyncio.Event()
    holding = [asyncio.create_task(hold(enough)) for _ in range(4)]
    await until(lambda: len(place.mine()) == 4)
    during = guardians() - others
    enough.set()
    await asyncio.gather(*holding)
    await place.sandboxes.close()

    assert len(during) == 1
    assert guardians() <= others


async def test_the_guardian_knows_no_key(place: DockerPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-71c")
    others = guardians()

    async with place.lease():
        (guardian,) = guardians() - others
        environment = await asyncio.to_thread(Path(f"/proc/{guardian}/environ").read_bytes)

    assert environment
    assert b"canary-71c" not in environment
