"""The external servers of a home, put together."""

from app.servers_file import read_servers
from app.settings import Settings
from domain.files import FileTree
from mcp_server.external.approvals import Approvals
from mcp_server.external.config import ServerConfig
from mcp_server.external.http import RemoteServer
from mcp_server.external.link import Way
from mcp_server.external.servers import ExternalServers
from mcp_server.external.stdio import SandboxedServer
from mcp_server.registry import Registry
from sandbox.base import Sandboxes
from storage.folder_import import read_folder


def external_servers(settings: Settings, sandboxes: Sandboxes, registry: Registry) -> ExternalServers:
    """Those that ``servers.toml`` names; none is started yet. UsageError where the file is broken."""

    def way(config: ServerConfig) -> Way:
        if config.url is not None:
            return RemoteServer(config, settings.upstream_proxies, settings.trusted_bundle())

        async def files() -> FileTree:
            return {} if config.files is None else await read_folder(config.files)

        return SandboxedServer(config, sandboxes, settings.soundstage_isolation, files, settings.upstream_proxies)

    return ExternalServers(read_servers(settings), way, approvals(settings), registry)


def approvals(settings: Settings) -> Approvals:
    """What was approved of them."""
    return Approvals(settings.home / "servers")
