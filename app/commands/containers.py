"""``soundstage sandbox list`` and ``reap``: the containers that are there."""

import json
import sys
import time
from typing import Any

from app.instances import InstanceLock
from app.sandboxes import docker_sandboxes
from app.settings import Settings
from domain.errors import EngineUnavailable
from domain.text import plain
from sandbox.container import Instance
from sandbox.engine import ContainerInfo, DockerEngine
from sandbox.hardening import DEADLINE_LABEL, HOME_LABEL, LABEL, TASK_LABEL


async def list_containers(settings: Settings, as_json: bool) -> None:
    """Prints every container of ours on every engine: whose it is, and until when."""
    alive = InstanceLock(settings.home / "instances").alive()
    count = 0
    for address in settings.engines:
        engine = DockerEngine(address.host)
        try:
            for container in await engine.containers(LABEL):
                count += 1
                row = _row(container, settings, alive)
                print(json.dumps(row) if as_json else _line(row))
        except EngineUnavailable as error:
            if len(settings.engines) == 1:
                raise
            print(f"{address.host}: {error}", file=sys.stderr)
        finally:
            await engine.close()
    if not count and not as_json:
        print("There is no sandbox.")


def _row(container: ContainerInfo, settings: Settings, alive: set[str]) -> dict[str, Any]:
    labels = container.labels
    ours = labels.get(HOME_LABEL) == settings.home_id
    try:
        left = round(float(labels.get(DEADLINE_LABEL, "")) - time.time())
    except ValueError:
        left = 0
    owner = "alive" if labels[LABEL] in alive else "gone"
    return {
        "name": container.name,
        "state": container.state,
        "task": labels.get(TASK_LABEL) or None,
        "owner": owner if ours else "another SOUNDSTAGE_HOME",
        "ends_in_s": left,
    }


def _line(row: dict[str, Any]) -> str:
    owner, task = f"owner: {row['owner']}", row["task"] or "-"
    return plain(f"{row['name']:<28} {row['state']:<9} {task:<14} {owner:<32} ends in {row['ends_in_s']} s")


async def reap(settings: Settings, as_json: bool) -> None:
    """Removes the containers that crashed processes left behind, and says which."""
    lock = InstanceLock(settings.home / "instances")
    sandboxes = docker_sandboxes(settings, Instance(id=lock.id, home=settings.home_id), warm=False)
    try:
        removed = await sandboxes.reap(lock.alive)
    finally:
        await sandboxes.close()
    if as_json:
        print(json.dumps({"removed": removed}))
    else:
        print("\n".join(f"removed {name}" for name in removed) or "Nothing was left behind.")
