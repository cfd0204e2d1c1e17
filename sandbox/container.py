"""One container, from its creation to its removal."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable

from domain.base import Value
from domain.command import Verdict
from domain.errors import ImageUnusable, InfrastructureError, SandboxLost
from sandbox import hardening
from sandbox.base import IGNORED, Lease, Sandbox
from sandbox.channel import Channel
from sandbox.engine import DockerEngine
from sandbox.exchange import ask_for
from sandbox.exec_sandbox import ExecSandbox
from sandbox.guardian import Guardian
from sandbox.profiles import Profile
from sandbox.runner_sandbox import RunnerSandbox
from sandbox.stdio import AttachedStream
from sandbox.told import read_told
from sandbox.vetting import VettingLimits

READY_TIMEOUT_S = 60.0
LEASE_TIMEOUT_S = 10.0
FAREWELL_S = 2.0
"""How long a runner whose input has ended may take to go."""
REMOVAL_S = 10.0
AUTOPSIES, AUTOPSY_PAUSE_S = 10, 0.2
"""The engine may tell of what happened after the stream has ended."""
NO_PYTHON, NO_SHELL = '"python3"', "/bin/sh"
"""What an engine names when it cannot start them; how it says so differs from one OCI runtime to the other."""
NO_RUNNER = b"No module named 'runner'"


class Instance(Value):
    """The process that leases: its id, and a digest of the SOUNDSTAGE_HOME that it works for."""

    id: str
    home: str


class Build(Value):
    """What a container is made of. Containers of the same build are interchangeable until one is leased.

    ``build_output`` names what a language builds, which never leaves the container.
    """

    image: str
    profile: Profile
    isolation: str
    build_output: frozenset[str] = frozenset()


class Container:
    """A container of one engine. It is leased once, serves that lease, and ends."""

    def __init__(self, engine: DockerEngine, guardian: Guardian, instance: Instance, build: Build, uid: int) -> None:
        self.build = build
        self.uid = uid
        self.id = secrets.token_hex(8)
        self.name = f"soundstage-{self.id}"
        self._engine = engine
        self._guardian = guardian
        self._instance = instance
        self._stream: AttachedStream | None = None
        self._channel: Channel | None = None
        self._is_gone = False
        self._retire: Callable[[], None] = lambda: None

    @property
    def lost(self) -> bool:
        """Whether it ended by itself."""
        return self._channel is not None and self._channel.lost

    async def start(self, task_id: str, lifetime_s: float, lease_s: float = 0.0) -> None:
        """Starts it. It ends itself after ``lifetime_s`` seconds, or when it is leased ``lease_s`` later at most.

        Whoever called this calls ``end``. EngineUnavailable, ImageMissing, ImageUnusable, SandboxLost.
        """
        labels = hardening.Labels(
            lease=self.id,
            owner=self._instance.id,
            home=self._instance.home,
            task_id=task_id,
            deadline=time.time() + lifetime_s + lease_s,
        )
        await self._guardian.watch(self.name)
        try:
            await self._boot(hardening.runner_config(self._build(labels), lifetime_s))
        except InfrastructureError as error:
            if NO_PYTHON not in str(error):
                raise
            await self._remove()
            await self._idle(hardening.idle_config(self._build(labels), lifetime_s))

    async def _idle(self, config: dict[str, object]) -> None:
        self._is_gone = False
        await self._guardian.watch(self.name)
        try:
            await self._engine.create(self.name, config)
            await self._engine.start(self.name)
        except InfrastructureError as error:
            if NO_SHELL not in str(error):
                raise
            raise ImageUnusable(
                f"The image {self.build.image} has neither Python nor a shell. Take an image with /bin/sh, find and "
                "tar, or one of ours (soundstage images list)."
            ) from None

    def _build(self, labels: hardening.Labels) -> hardening.Body:
        return hardening.Body(
            image=self.build.image,
            profile=self.build.profile,
            runtime=self.build.isolation,
            uid=self.uid,
            labels=labels,
        )

    async def _boot(self, config: dict[str, object]) -> None:
        await self._engine.create(self.name, config)
        stream = self._stream = AttachedStream(await self._engine.attach(self.name))
        await stream.open()
        channel = Channel(stream)
        try:
            await self._engine.start(self.name)
            await channel.ready(READY_TIMEOUT_S)
        except BaseException:
            await channel.close()
            self._stream = None
            if NO_RUNNER in stream.stderr:
                raise ImageUnusable(
                    f"The image {self.build.image} has Python, but no runner of ours. Build on one of our images "
                    "(soundstage images list), or take an image without Python, which is served by docker exec."
                ) from None
            raise
        self._channel = channel

    async def lease(self, lease: Lease) -> Sandbox:
        """Hands it to its one holder. SandboxLost when it has ended."""
        if self._channel is None:
            note = f"{self.build.image} has no Python for our runner: commands run by docker exec, slower, unmeasured"
            lease = lease.model_copy(update={"notes": (*lease.notes, note)})
            sandbox = ExecSandbox(self._engine, self.name, self.uid, self.build.isolation, lease)
            self._retire = sandbox.retire
            return sandbox
        ask = {"op": "lease", "token": lease.token, "seconds": max(0.001, lease.deadline - time.time())}
        told = read_told(await ask_for(self._channel, ask, LEASE_TIMEOUT_S))
        if told.error is not None:
            raise SandboxLost
        self._channel.token = lease.token
        self._retire = self._channel.retire
        limits = self.build.profile
        vetting = VettingLimits(file_bytes=min(limits.file_size, limits.workspace))
        ignored = IGNORED | self.build.build_output
        return RunnerSandbox(self._channel, f"docker/{self.build.isolation}", lease, self._autopsy, vetting, ignored)

    def retire(self) -> None:
        """Ends the lease at once: the sandbox is of no use any more to whoever still knows it."""
        self._retire()

    async def _autopsy(self, since: float) -> Verdict:
        with contextlib.suppress(InfrastructureError):
            for _ in range(AUTOPSIES):
                if await self._engine.ran_out_of_memory(self.name, since):
                    return Verdict.OOM
                await asyncio.sleep(AUTOPSY_PAUSE_S)
        return Verdict.KILLED

    async def end(self) -> None:
        """Ends and removes it, whatever state it is in. InfrastructureError when the engine does not answer."""
        channel, self._channel = self._channel, None
        stream, self._stream = self._stream, None
        if channel is not None and stream is not None:
            try:
                stream.end()
                await channel.drained(FAREWELL_S)
            finally:
                await channel.close()
            if await self._is_removed():
                self._forget()
                return
        elif stream is not None:
            await stream.close()
        await self._remove()

    async def _is_removed(self) -> bool:
        """Whether the engine removes it by itself, as it does with one whose runner has gone."""
        pause, end = 0.01, time.monotonic() + FAREWELL_S
        while time.monotonic() < end:
            await asyncio.sleep(pause)
            if not await self._engine.exists(self.name):
                return True
            pause = min(0.1, pause * 1.5)
        return False

    async def _remove(self) -> None:
        if not self._is_gone:
            await self._engine.remove(self.name)
            self._forget()

    def _forget(self) -> None:
        self._is_gone = True
        self._guardian.forget(self.name)
