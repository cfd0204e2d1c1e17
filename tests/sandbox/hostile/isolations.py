"""The levels of isolation that the engine has."""

import asyncio
import os
from functools import cache

from domain.errors import InfrastructureError
from sandbox.engine import DockerEngine

LEVELS = ("runc", "runsc")


@cache
def isolations() -> tuple[str, ...]:
    """Those levels for which the engine has a runtime; ``runc`` always, so that a missing engine fails the tests."""

    async def ask() -> tuple[str, ...]:
        engine = DockerEngine(os.environ.get("DOCKER_HOST"))
        try:
            return await engine.runtimes()
        except InfrastructureError:
            return ()
        finally:
            await engine.close()

    there = asyncio.run(ask())
    return tuple(level for level in LEVELS if level == "runc" or level in there)
