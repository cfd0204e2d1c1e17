"""A server that is a command: it runs in a sandbox of its own, and speaks one line a message."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import mcp.types as types
from mcp.shared.message import SessionMessage

from domain.command import Command, CommandResult
from domain.files import FileTree, TreeChange
from mcp_server.external.config import ServerConfig
from mcp_server.external.gate import Gate
from sandbox.base import Running, Sandbox, Sandboxes, SandboxRequest
from sandbox.dependencies.client import PORT, PROXY_VARIABLES
from sandbox.egress.allowlist import AllowedHost, Allowlist, Wording
from sandbox.egress.endpoint import web_endpoints
from sandbox.egress.limits import EgressLimits
from sandbox.egress.outside import UpstreamProxies
from sandbox.egress.proxy import EgressProxy

MOST_LINE = 4 * 2**20
"""Bytes of one message."""
LIFETIME_S = 3600.0
"""After it a server is started anew for the next call."""
MOST_OUTPUT = 4 * 2**30
MOST_WORDS = 2000
WORDING = Wording(
    unlisted="is not among the hosts of this server",
    remedy="Name it in hosts = [...] in servers.toml.",
    remedy_inside="If that is meant, say inside = true in servers.toml.",
)

Files = Callable[[], Awaitable[FileTree]]


class ServerEnded(Exception):
    """The server's program has ended."""


class Lines:
    """Bytes put together to lines, of which none may be longer than ``MOST_LINE``."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now. ServerEnded when one grows too long."""
        *whole, rest = data.split(b"\n")
        lines = []
        for piece in whole:
            lines.append(bytes(self._begun + piece))
            self._begun.clear()
        self._begun += rest
        if len(self._begun) > MOST_LINE or any(len(line) > MOST_LINE for line in lines):
            raise ServerEnded(f"it sent a message of more than {MOST_LINE // 2**20} MiB")
        return lines


class SandboxedServer:
    """Starts it. ``files`` gives what it finds in its working folder."""

    def __init__(
        self,
        config: ServerConfig,
        sandboxes: Sandboxes,
        isolation: str,
        files: Files,
        proxies: UpstreamProxies | None = None,
    ) -> None:
        self._config = config
        self._sandboxes = sandboxes
        self._files = files
        self._proxies = proxies
        self._request = SandboxRequest(
            task_id="", purpose=f"server {config.name}", language=config.language, image=config.image,
            profile=config.profile, isolation=isolation, lifetime_s=LIFETIME_S + 60, wait_s=config.connect_s,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def running(self, gate: Gate) -> AsyncIterator[asyncio.Task[None]]:
        """The server at work behind a gate. The task ends with it, and raises why."""
        secrets = {name: secret.get_secret_value() for name, secret in self._config.secrets.items()}
        proxied = PROXY_VARIABLES if self._config.hosts else {}
        command = Command(
            argv=self._config.command, env=proxied | self._config.environment | secrets, timeout_s=LIFETIME_S,
            output_limit=MOST_OUTPUT,
        )  # fmt: skip
        async with self._sandboxes.lease(self._request) as sandbox:
            if files := await self._files():
                await sandbox.put(TreeChange(written=files), clear=True)
            async with self._outside(sandbox), sandbox.start(command, _lines(gate)) as running:
                reading = asyncio.create_task(_read(running, gate))
                try:
                    yield reading
                finally:
                    reading.cancel()
                    await asyncio.wait([reading])

    @contextlib.asynccontextmanager
    async def _outside(self, sandbox: Sandbox) -> AsyncIterator[None]:
        """The way to the hosts that it may reach, where there are any: the sandbox itself has no network."""
        if not self._config.hosts:
            yield
            return
        named = self._config.inside
        hosts = [AllowedHost(endpoint=one, named=named) for host in self._config.hosts for one in web_endpoints(host)]
        limits = EgressLimits(connection_s=LIFETIME_S, idle_s=LIFETIME_S)
        proxy = EgressProxy(Allowlist(hosts, WORDING), self._proxies, limits)
        async with sandbox.listen(PORT) as streams, proxy.serving(streams):
            yield


async def _lines(gate: Gate) -> AsyncGenerator[bytes]:
    async with contextlib.aclosing(gate.outgoing()) as messages:
        async for item in messages:
            yield item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"


async def _read(running: Running, gate: Gate) -> None:
    """Takes what the server says to its end. ServerEnded, Flooded, InfrastructureError."""
    lines, words = Lines(), bytearray()
    try:
        async with contextlib.aclosing(running.items()) as items:
            async for item in items:
                if isinstance(item, CommandResult):
                    said = words.decode(errors="replace")
                    raise ServerEnded(
                        f"its program has ended ({item.verdict}{_code(item)})" + (f": {said}" if said else "")
                    )
                if item.stream == "stderr":
                    words = (words + item.data)[-MOST_WORDS:]
                    gate.noise(len(item.data))
                else:
                    for line in lines.feed(item.data):
                        await _deliver(line, gate)
                await asyncio.sleep(0)  # what is there already is taken without a pause: others must have their turn
    finally:
        gate.end()


def _code(result: CommandResult) -> str:
    return "" if result.exit_code is None else f", exit code {result.exit_code}"


async def _deliver(line: bytes, gate: Gate) -> None:
    try:
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        gate.noise(len(line))
        return
    await gate.deliver(SessionMessage(message), len(line))
