"""A sandbox without a runner: an image that has no Python is served by ``docker exec`` and ``tar``.

It keeps the containment of the others, and is slower and blunter: a signal reaches all that runs, a command that cannot
be ended costs the sandbox, and nothing but time and output is measured.
"""

import asyncio
import contextlib
import posixpath
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from domain.command import Command, CommandResult
from domain.errors import LeaseEnded, SandboxLost, TransferFailed
from domain.files import FileTree, TreeChange
from sandbox.base import IGNORED, ByteStream, Changes, Entry, Fetched, Lease, Running
from sandbox.command_verbs import CommandVerbs
from sandbox.engine import DockerEngine
from sandbox.execution import Execution
from sandbox.vetting import VettingLimits, extract, pack, printable

TRANSFER_TIMEOUT_S = 120.0
EACH = (
    'for name in * .[!.]* ..?*; do if [ -e "$name" ] || [ -L "$name" ]; then set -- "$@" "$name"; fi; done;'
    " [ $# -gt 0 ] || exit 0"
)
"""Names all that is in the folder, so that tar puts no ./ before the names, which is none that may leave."""
UNSUPPORTED = "This needs the runner, which needs Python in the image. Use one of our images: soundstage images list"


class ExecSandbox(CommandVerbs):
    """Runs commands as ``uid`` in a container that runs already."""

    def __init__(self, engine: DockerEngine, name: str, uid: int, isolation: str, lease: Lease) -> None:
        self._engine = engine
        self._name = name
        self._uid = uid
        self._isolation = f"docker/{isolation}"
        self._lease = lease
        self._known: FileTree = {}
        self._turn = asyncio.Lock()
        self._is_retired = False

    @property
    def isolation(self) -> str:
        """How it is contained."""
        return self._isolation

    @property
    def lease(self) -> Lease:
        """Whose it is."""
        return self._lease

    def retire(self) -> None:
        """Serves its holder no more: LeaseEnded from now on."""
        self._is_retired = True

    @property
    def ignored(self) -> frozenset[str]:
        """Names that never leave it."""
        return IGNORED

    @contextlib.asynccontextmanager
    async def start(self, command: Command, stdin: AsyncIterable[bytes] | None = None) -> AsyncIterator[Running]:
        """Starts a command; one at a time, because what it leaves behind cannot be told from others'.

        SandboxLost at the end, too, when that cannot be ended.
        """
        async with self._turn:
            if self._is_retired:
                raise LeaseEnded
            execution = Execution(self._engine, self._name, self._uid, command, stdin)
            try:
                await execution.begin()
                yield execution
            except BaseException:
                # The first that went wrong is told; a sandbox that is lost is lost for the next command as well.
                with contextlib.suppress(SandboxLost):
                    await execution.end()
                raise
            await execution.end()

    async def put(self, change: TreeChange, clear: bool = False) -> None:
        """Writes and removes files."""
        script = "set -e; "
        if clear:
            script += "find . -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +; "
            self._known = {}
        script += 'for path in "$@"; do rm -rf -- "$path"; done; tar -x -f -'
        await self._tar(("/bin/sh", "-c", script, "sh", *sorted(change.deleted)), pack(change.written))
        self._known = {path: file for path, file in self._known.items() if path not in change.deleted} | change.written

    async def fetch(self, closely: bool = False) -> Fetched:
        """What differs from what was moved last; without the runner, contents are always compared."""
        del closely
        excluded = " ".join(f"--exclude={name}" for name in sorted(IGNORED))
        archive = await self._tar(("/bin/sh", "-c", f'{EACH}; tar -c -f - {excluded} -- "$@"'), b"")
        files, refused = extract(archive, VettingLimits()) if archive else ({}, [])
        known, self._known = self._known, files
        written = {path: file for path, file in files.items() if known.get(path) != file}
        deleted = frozenset(path for path, file in known.items() if path not in files and file.link is None)
        return Fetched(change=TreeChange(written=written, deleted=deleted), refused=tuple(refused))

    async def _tar(self, argv: tuple[str, ...], data: bytes) -> bytes:
        limits = VettingLimits()
        most = limits.total_bytes + limits.entries * 2048
        command = Command(argv=argv, stdin=data, timeout_s=TRANSFER_TIMEOUT_S, output_limit=most)
        archive = bytearray()
        async with contextlib.aclosing(self.stream(command)) as items:
            async for item in items:
                if isinstance(item, CommandResult):
                    if not item.ok:
                        raise TransferFailed(
                            f"Files could not be moved: {printable(item.stderr.decode(errors='replace'))}. The image "
                            "needs sh, find and tar; the workspace may be full."
                        )
                elif item.stream == "stdout":
                    archive += item.data
        return bytes(archive)

    async def changes(self) -> Changes:
        """Not to be had without the runner: TransferFailed."""
        raise TransferFailed(UNSUPPORTED)

    async def stat(self, paths: Sequence[str]) -> list[Entry | None]:
        """Not to be had without the runner: TransferFailed."""
        raise TransferFailed(UNSUPPORTED)

    async def collect(self, paths: Sequence[str], limits: VettingLimits | None = None) -> Fetched:
        """Files and folders by name; patterns are not understood."""
        archive = await self._tar(("tar", "-c", "-f", "-", "--", *(posixpath.normpath(path) for path in paths)), b"")
        files, refused = extract(archive, limits or VettingLimits(), links=True)
        return Fetched(change=TreeChange(written=files), refused=tuple(refused))

    def listen(self, port: int) -> AbstractAsyncContextManager[AsyncIterator[ByteStream]]:
        """Not to be had without the runner: TransferFailed."""
        raise TransferFailed(UNSUPPORTED)

    async def connect(self, port: int) -> ByteStream:
        """Not to be had without the runner: TransferFailed."""
        raise TransferFailed(UNSUPPORTED)
