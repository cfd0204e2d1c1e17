"""The file of external MCP servers, ``servers.toml``: a table ``[server.NAME]`` for each."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.settings import Settings
from domain.errors import UsageError
from domain.text import one_line
from mcp_server.external.config import ServerConfig

NOT_WRITTEN = frozenset({"name", "secrets"})
"""Fields that the file has elsewhere, or never."""


def read_servers(settings: Settings) -> tuple[ServerConfig, ...]:
    """The configured servers; none where there is no file. UsageError where it is broken."""
    file = settings.servers_file
    if file is None:
        return ()
    tables = _tables(file)
    return tuple(_server(settings, file, name, table) for name, table in tables.items())


def _tables(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}). Correct SOUNDSTAGE_SERVERS_FILE.") from error
    except ValueError as error:
        raise UsageError(f"{file} is no TOML: {error}. Correct it there.") from error
    tables = content.pop("server", {})
    if content or not isinstance(tables, dict):
        odd = next(iter(content), "server")
        raise UsageError(f"{file}: {one_line(odd)} is none of its tables. Write each server as [server.NAME].")
    return tables


def _server(settings: Settings, file: Path, name: str, table: Any) -> ServerConfig:
    where = f"{file}: server {one_line(name, 40)}"
    if not isinstance(table, dict) or NOT_WRITTEN & table.keys():
        raise UsageError(f"{where}: it is no table of settings, or names what is not set there. Correct it there.")
    try:
        config = ServerConfig.model_validate({**table, "name": name})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = "".join(f", {one_line(str(part), 40)}" for part in problem["loc"])
        raise UsageError(f"{where}{place}: {problem['msg'].removeprefix('Value error, ')}. Correct it there.") from None
    secrets = {}
    for variable in config.variables:
        if variable.lower() in Settings.model_fields:
            raise UsageError(f"{where}: {variable} is Soundstage's own, and no server gets it. Name another variable.")
        if (value := settings.variable(variable)) is not None:
            secrets[variable] = value
    files = None if config.files is None else file.parent / config.files.expanduser()
    return config.model_copy(update={"secrets": secrets, "files": files})
