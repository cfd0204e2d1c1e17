"""Removing containers that a crash left behind.

A container is taken only when it carries our label and either its deadline has passed, or it belongs to this
SOUNDSTAGE_HOME and its owner is gone. An owner is alive as long as it holds the lock on its file in the home's
``instances`` folder; the caller passes those that are.
"""

import time
from collections.abc import Collection

from sandbox.engine import ContainerInfo, DockerEngine
from sandbox.hardening import DEADLINE_LABEL, HOME_LABEL, LABEL, LEASE_LABEL

DEADLINE_GRACE_S = 5.0
"""The container ends itself at its deadline; only one that failed to is taken."""


def is_abandoned(container: ContainerInfo, home: str, alive: Collection[str], now: float) -> bool:
    """Whether nobody needs the container any more. ``now`` is Unix seconds."""
    labels = container.labels
    if LABEL not in labels or LEASE_LABEL not in labels:
        return False
    try:
        deadline = float(labels.get(DEADLINE_LABEL, ""))
    except ValueError:
        return False
    if now > deadline + DEADLINE_GRACE_S:
        return True
    return labels.get(HOME_LABEL) == home and labels[LABEL] not in alive


async def reap(engine: DockerEngine, home: str, alive: Collection[str]) -> list[str]:
    """Removes what is abandoned; returns the names of the removed containers."""
    removed = []
    for container in await engine.containers(LABEL):
        if is_abandoned(container, home, alive, time.time()):
            await engine.remove(container.id)
            removed.append(container.name)
    return removed
