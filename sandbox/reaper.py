"""Removing containers that a crash left behind.

A container is taken only when it carries our labels, and its owner is gone; where it belongs to another
SOUNDSTAGE_HOME, whose owners cannot be asked, when the latest time at which it could have ended itself has passed. An
owner is alive as long as it holds the lock on its file in the home's ``instances`` folder; the caller says who is.
"""

import contextlib
import math
import time
from collections.abc import Callable, Collection

from domain.errors import InfrastructureError
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
    if labels.get(HOME_LABEL) == home:
        return labels[LABEL] not in alive and math.isfinite(deadline)
    return now > deadline + DEADLINE_GRACE_S


async def reap(engine: DockerEngine, home: str, alive: Callable[[], Collection[str]]) -> list[str]:
    """Removes what is abandoned; returns the names of the removed containers.

    ``alive`` is asked after the containers were listed: an owner that has just begun is among them then. A container
    that cannot be removed is left for the next time; EngineUnavailable when they cannot be listed.
    """
    removed = []
    found = await engine.containers(LABEL)
    living = alive()
    for container in found:
        if is_abandoned(container, home, living, time.time()):
            with contextlib.suppress(InfrastructureError):
                await engine.remove(container.id)
                removed.append(container.name)
    return removed
