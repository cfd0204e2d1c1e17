"""A package client at work in a container of its own: without a network, without secrets, with a way out that leads
to its own registries only."""

import asyncio
import contextlib
import hashlib
import json
import time
from typing import BinaryIO

from domain.command import Command, CommandResult, Verdict
from domain.errors import DependenciesFailed
from domain.files import File, TreeChange
from sandbox.base import Sandbox, Sandboxes, SandboxRequest
from sandbox.dependencies.access import Access, check_named
from sandbox.dependencies.client import BUNDLE, PORT, PROXY_VARIABLES, TREE, WHEELS, Manifests, PackageClient, Step
from sandbox.dependencies.diagnosis import failed_install, last_words, too_large
from sandbox.dependencies.settings import PackageSettings
from sandbox.dependencies.source import MIB, Collected, Order
from sandbox.dependencies.wheels import fingerprint, read_wheels
from sandbox.egress.limits import EgressLimits
from sandbox.egress.proxy import EgressProxy
from sandbox.hardening import WORKSPACE

PROFILE = "install"
OUTPUT_LIMIT = 16 * MIB
TEMPORARY = "temporary"
TRAFFIC = 4
"""Times the size limit that may go through the proxy: archives are smaller than what is in them, retries cost again."""
ENTRY_BYTES = 2048
MOST_ENTRIES = 100_000
PACK_S = 300.0
OPTIONAL_S = 120.0
"""What a step that may fail gets of the deadline, at most."""
PACK = (
    'mkdir -p "$0" && exec tar --create --format=posix --pax-option=delete=atime,delete=ctime,delete=mtime --sort=name '
    "--hard-dereference --numeric-owner --owner=0 --group=0 --mtime=@0 --transform='s,^\\./,,S' --directory \"$0\" ."
)
"""Our own extractor takes plain POSIX archives only."""


class Installation:
    """A source of packages: a package client that runs in a container."""

    def __init__(self, client: PackageClient, sandboxes: Sandboxes, settings: PackageSettings) -> None:
        self._client = client
        self._sandboxes = sandboxes
        self._settings = settings

    @property
    def manifest(self) -> str:
        """The file that asks for packages."""
        return self._client.manifest

    @property
    def place(self) -> str:
        """The image's folder for them."""
        return self._client.place

    def fingerprint(self, order: Order) -> str:
        """The manifests, and where the packages come from. DependenciesFailed, UsageError."""
        manifests = self._client.manifests(order.tree)
        files = [(path, hashlib.sha256(file.content).hexdigest()) for path, file in sorted(manifests.files.items())]
        if order.folder is None:
            return json.dumps([self._client.name, files, self._client.fingerprint(), sorted(self._settings.hosts)])
        self._client.offline()
        return json.dumps([self._client.name, files, fingerprint(order.folder, order.size_limit)])

    async def collect(self, order: Order, image: str, target: BinaryIO) -> Collected:
        """Runs the client, and writes what it installed to ``target``. DependenciesFailed."""
        manifests = self._client.manifests(order.tree)
        request = SandboxRequest(
            task_id=order.task_id, purpose="install", language=order.language, image=image, profile=PROFILE,
            isolation=order.isolation, lifetime_s=order.deadline_s + 300,
        )  # fmt: skip
        async with self._sandboxes.lease(request) as sandbox:
            work = _Work(self._client, sandbox, manifests, order)
            if order.folder is not None:
                return await self._offline(work, read_wheels(order.folder, order.size_limit), target)
            return await self._online(work, sandbox, target)

    async def _offline(self, work: "_Work", wheels: dict[str, bytes], target: BinaryIO) -> Collected:
        access = self._client.offline()
        await work.prepare(access, {f"{WHEELS}/{name}": content for name, content in wheels.items()})
        return await work.run(access, None, target)

    async def _online(self, work: "_Work", sandbox: Sandbox, target: BinaryIO) -> Collected:
        access = await self._client.access(sandbox)
        allowlist = access.allowlist()
        check_named(work.manifests.urls, allowlist)
        bundle = self._settings.ca_bundle
        await work.prepare(access, {BUNDLE: bundle.read_bytes()} if bundle else {})
        limits = EgressLimits(bytes_in_all=TRAFFIC * work.order.size_limit, connection_s=work.order.deadline_s)
        proxy = EgressProxy(allowlist, self._settings.upstream, limits)
        async with sandbox.listen(PORT) as streams, proxy.serving(streams):
            return await work.run(access, proxy, target)


class _Work:
    """One run of a client in its container."""

    def __init__(self, client: PackageClient, sandbox: Sandbox, manifests: Manifests, order: Order) -> None:
        self._client = client
        self._sandbox = sandbox
        self._ends = time.monotonic() + order.deadline_s
        self.manifests = manifests
        self.order = order

    async def prepare(self, access: Access, more: dict[str, bytes]) -> None:
        """Puts the manifests and the client's own files into the container, and nothing else of the workspace."""
        own = {path: File(content=content) for path, content in (access.files | more).items()}
        tree = {f"{TREE}/{path}": file for path, file in self.manifests.files.items()}
        written = own | tree | {f"{TEMPORARY}/keep": File()}
        await self._sandbox.put(TreeChange(written=written), clear=True)

    async def run(self, access: Access, proxy: EgressProxy | None, target: BinaryIO) -> Collected:
        """Runs the client's steps, and writes what they made to ``target``. DependenciesFailed."""
        environment = access.environment | {"TMPDIR": f"{WORKSPACE}/{TEMPORARY}"} | (PROXY_VARIABLES if proxy else {})
        words = []
        for step in self._client.steps(self.manifests, offline=proxy is None):
            result = await self._step(step, environment)
            if step.needed and not result.ok:
                raise failed_install(self._client.name, result, proxy)
            words.append(last_words(result))
        await self._hand_out(target)
        return Collected(
            contacts=proxy.contacts if proxy else (),
            output="\n".join(filter(None, words)),
            notes=(*self.manifests.notes, *access.notes),
        )

    async def _step(self, step: Step, environment: dict[str, str]) -> CommandResult:
        left = max(self._ends - time.monotonic(), 0.1)
        left = left if step.needed else min(left, OPTIONAL_S)
        command = Command(argv=step.argv, cwd=TREE, env=environment, timeout_s=left, output_limit=OUTPUT_LIMIT)
        return await self._sandbox.run(command)

    async def _hand_out(self, target: BinaryIO) -> None:
        most = self.order.size_limit + MOST_ENTRIES * ENTRY_BYTES
        argv = ("/bin/sh", "-c", PACK, self._client.result)
        command = Command(argv=argv, timeout_s=PACK_S, output_limit=most)
        async with contextlib.aclosing(self._sandbox.stream(command)) as items:
            async for item in items:
                if isinstance(item, CommandResult):
                    self._check(item)
                elif item.stream == "stdout":
                    await asyncio.to_thread(target.write, item.data)

    def _check(self, packed: CommandResult) -> None:
        if packed.verdict is Verdict.OUTPUT_LIMIT:
            raise too_large(self.order.size_limit)
        if not packed.ok:
            said = last_words(packed.model_copy(update={"stdout": b""}))
            raise DependenciesFailed(f"What {self._client.name} installed could not be read.\n{said}", reason="client")
