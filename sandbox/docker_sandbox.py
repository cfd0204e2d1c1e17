"""Sandboxes in Docker containers: each lease is one container, which serves it and dies."""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Collection

from domain.base import Value
from domain.command import Verdict
from domain.errors import InfrastructureError
from sandbox import hardening, images, reaper
from sandbox.base import IGNORED, Sandbox, SandboxRequest
from sandbox.channel import Channel
from sandbox.engine import DockerEngine
from sandbox.guardian import Guardian
from sandbox.languages import language
from sandbox.profiles import profile
from sandbox.runner_sandbox import RunnerSandbox
from sandbox.vetting import VettingLimits

READY_TIMEOUT_S = 60.0
FIRST_UID, LAST_UID = 20_000, 59_999


class Instance(Value):
    """The process that leases: its id, and a digest of the SOUNDSTAGE_HOME that it works for."""

    id: str
    home: str


class AttachedStream:
    """A container's stdio: unwraps the engine's multiplexed output. Source: Docker Engine API, "Stream format"."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.stderr = bytearray()

    async def open(self) -> None:
        """Starts to listen."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._connection, limit=1 << 20)

    async def read(self) -> bytes:
        """The next bytes of the container's stdout, b"" at the end; its stderr is kept aside, up to 64 KiB."""
        assert self._reader is not None
        while True:
            try:
                header = await self._reader.readexactly(8)
                payload = await self._reader.readexactly(int.from_bytes(header[4:], "big"))
            except (asyncio.IncompleteReadError, OSError):
                return b""
            if header[0] != 2:
                return payload
            self.stderr += payload[: (1 << 16) - len(self.stderr)]

    async def write(self, data: bytes) -> None:
        """Hands bytes to the container's stdin."""
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Lets go of the connection; the runner sees the end of its input and exits."""
        if self._writer is None:
            self._connection.close()
            return
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class DockerSandboxes:
    """Leases containers of one engine. Whatever it started is gone when ``close`` returns."""

    def __init__(self, engine: DockerEngine, instance: Instance) -> None:
        self._engine = engine
        self._instance = instance
        self._guardian = Guardian(engine.host)
        self._containers: set[str] = set()
        self._uids: set[int] = set()

    @contextlib.asynccontextmanager
    async def lease(self, request: SandboxRequest) -> AsyncIterator[Sandbox]:
        """A fresh container, removed when the context ends, however it ends."""
        limits, image = profile(request.profile), request.image or images.tag(request.language)
        lease = self._new_lease(request)
        config = hardening.container_config(image, limits, lease, request.isolation)
        name = f"soundstage-{lease.id}"
        self._containers.add(name)
        stream: AttachedStream | None = None
        channel: Channel | None = None
        try:
            await self._guardian.watch(name)
            await self._engine.create(name, config)
            stream = AttachedStream(await self._engine.attach(name))
            await stream.open()
            channel = Channel(stream)
            await self._engine.start(name)
            await channel.ready(READY_TIMEOUT_S)

            async def autopsy(since: float) -> Verdict:
                with contextlib.suppress(InfrastructureError):
                    if await self._engine.ran_out_of_memory(name, since):
                        return Verdict.OOM
                return Verdict.KILLED

            vetting = VettingLimits(file_bytes=min(limits.file_size, limits.workspace))
            ignored = IGNORED | language(request.language).build_output
            yield RunnerSandbox(channel, f"docker/{request.isolation}", autopsy, vetting, ignored)
        finally:
            await asyncio.shield(self._end(name, channel, stream))
            self._uids.discard(lease.uid)

    def _new_lease(self, request: SandboxRequest) -> hardening.Lease:
        uid = FIRST_UID
        while uid in self._uids or uid == FIRST_UID:
            uid = FIRST_UID + secrets.randbelow(LAST_UID - FIRST_UID) + 1
        self._uids.add(uid)
        return hardening.Lease(
            id=secrets.token_hex(8),
            owner=self._instance.id,
            home=self._instance.home,
            task_id=request.task_id,
            deadline=time.time() + request.lifetime_s,
            lifetime_s=request.lifetime_s,
            uid=uid,
        )

    async def _end(self, name: str, channel: Channel | None, stream: AttachedStream | None) -> None:
        if channel is not None:
            await channel.close()
        elif stream is not None:
            await stream.close()
        await self._remove(name)

    async def _remove(self, name: str) -> None:
        with contextlib.suppress(InfrastructureError):
            await self._engine.remove(name)
            self._containers.discard(name)
            self._guardian.forget(name)

    async def reap(self, alive: Collection[str]) -> list[str]:
        """Removes containers of this home whose owner is not among ``alive``, and any that outlived its deadline."""
        return await reaper.reap(self._engine, self._instance.home, {*alive, self._instance.id})

    async def close(self) -> None:
        """Removes whatever a cancelled lease could not."""
        for name in list(self._containers):
            await self._remove(name)
        await self._guardian.close()
        await self._engine.close()
