"""Where a case is run: a service of its own with canaries around it, of which nothing may be left."""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docker.errors

from domain.command import Command, CommandResult, Verdict, shell
from domain.errors import SandboxLost
from domain.files import File, TreeChange
from sandbox.base import Sandbox
from tests.sandbox.docker_place import DockerPlace, docker_place
from tests.sandbox.hostile.canaries import Canaries, canaries
from tests.sandbox.hostile.case import PROGRAMS, Case, Expect
from tests.sandbox.hostile.leftovers import Leftovers

RESULTS = "SOUNDSTAGE_HOSTILE_RESULTS"
"""The variable that names the file to which each result is added, as one JSON object a line."""

SHARED = ("attack.py", "surroundings.py")
SAID = re.compile(rb"^(contained|ESCAPED): (.*)$", re.MULTILINE)
PROFILE = "small"


class Arena:
    """One service at one level of isolation."""

    def __init__(self, place: DockerPlace, around: Canaries, leftovers: Leftovers, isolation: str) -> None:
        self.place = place
        self.around = around
        self.isolation = isolation
        self._leftovers = leftovers
        self.went_on = False

    @contextlib.asynccontextmanager
    async def lease(self, **more: Any) -> AsyncIterator[Sandbox]:
        """A sandbox whose container is remembered."""
        settings = {"profile": PROFILE, "isolation": self.isolation} | more
        async with self.place.lease(**settings) as sandbox:
            await self.remember()
            yield sandbox

    async def remember(self) -> None:
        """Remembers every container that is there now."""
        for container in await asyncio.to_thread(self.place.mine):
            # One whose lease has ended may go meanwhile.
            with contextlib.suppress(docker.errors.NotFound):
                self._leftovers.watch(await asyncio.to_thread(self.place.client.inspect_container, container["Id"]))

    async def put(self, sandbox: Sandbox, case: Case) -> Command:
        """Brings a case's program into a sandbox; returns the command that runs it."""
        program = case.program()
        assert program is not None, f"{case.id} has no program"
        paths = [program, *(PROGRAMS / name for name in SHARED)]
        await sandbox.put(TreeChange(written={path.name: File(content=path.read_bytes()) for path in paths}))
        start = ("sh", program.name) if program.suffix == ".sh" else ("python3", program.name)
        return Command(
            argv=start,
            env=self.around.environment(),
            timeout_s=case.timeout_s,
            output_limit=case.output_limit,
            report=True,
        )

    async def attack(self, sandbox: Sandbox, case: Case) -> CommandResult:
        """Runs a case's program and holds what came of it against what is expected."""
        command = await self.put(sandbox, case)
        try:
            result = await sandbox.run(command)
        except SandboxLost:
            result = CommandResult(verdict=Verdict.INFRASTRUCTURE, exit_code=None)
        check(result, case.at(self.isolation))
        self.went_on = False
        return result

    async def goes_on(self, sandbox: Sandbox) -> None:
        """The next command and the next files find the sandbox as usable as before."""
        result = await sandbox.run(shell("rm -rf /tmp/* /workspace/* /dev/shm/*; echo here"))
        assert (result.verdict, result.stdout) == (Verdict.OK, b"here\n"), result
        await sandbox.put(TreeChange(written={"usable": File(content=b"yes")}), clear=True)
        assert (await sandbox.run(shell("cat usable"))).stdout == b"yes"
        self.went_on = True


def escapes(said: bytes, expect: Expect) -> list[str]:
    """The reports of success in a program's output, without those that are expected."""
    texts = [text.decode(errors="replace") for kind, text in SAID.findall(said) if kind == b"ESCAPED"]
    return [text for text in texts if not text.startswith(expect.inside or ("\0",))]


def check(result: CommandResult, expect: Expect) -> None:
    """AssertionError unless the result is one of a contained attack."""
    told = f"{result.verdict} {result.exit_code}\n{result.stdout[-3000:]!r}\n{result.stderr[-2000:]!r}"
    assert result.verdict in expect.verdicts, told
    assert escapes(result.stdout, expect) == [], told
    if expect.reports:
        assert b"contained: " in result.stdout, told


@contextlib.asynccontextmanager
async def arena(folder: Path, isolation: str) -> AsyncIterator[Arena]:
    """An arena; at its end the next command has run on the same service, the canaries live, and nothing is left.

    That command runs in another sandbox where the attacked one was not seen to go on.
    """
    leftovers = Leftovers(folder / "temporary")
    with contextlib.closing(leftovers):
        async with docker_place() as place, canaries(folder / "canaries", place.client) as around:
            there = Arena(place, around, leftovers, isolation)
            yield there
            if not there.went_on:
                async with there.lease() as another:
                    await there.goes_on(another)
    await leftovers.none_left()


def record(case: Case, isolation: str, verdict: Verdict) -> None:
    """Adds a result to the file of results, where one is asked for."""
    if path := os.environ.get(RESULTS):
        line = json.dumps({"case": case.id, "isolation": isolation, "verdict": verdict})
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
