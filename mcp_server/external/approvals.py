"""Which tools of external servers a person approved, and exactly what they were then.

They are files of the home, beside the ``servers.toml`` that they are about, and no rows of the database: whoever may
write the one decides the other, commands read them without a database at hand, and one file is replaced as a whole.
They hold whole definitions, so that approved tools are offered to models before their server was ever started.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from domain.base import Value
from domain.errors import StorageUnavailable
from mcp_server.external.config import ServerConfig
from mcp_server.external.definition import Definition

MOST_BYTES = 16 * 2**20


class Approval(Value):
    """The tools that a person approved, of the server with that ``origin``."""

    origin: str
    tools: tuple[Definition, ...]

    def of(self, config: ServerConfig) -> dict[str, Definition]:
        """The approved tools by name; none where the configuration means another server now, or leaves them out."""
        if self.origin != config.origin:
            return {}
        return {tool.name: tool for tool in self.tools if config.offers(tool.name)}


class Approvals:
    """Keeps them in ``folder``, a file for each server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[tuple[int, int, int], Approval]] = {}

    def read(self, config: ServerConfig) -> dict[str, Definition]:
        """The approved tools of a server by name. StorageUnavailable."""
        found = self.find(config.name)
        return found.of(config) if found is not None else {}

    def find(self, name: str) -> Approval | None:
        """What was approved of the server of that name, whatever its configuration. StorageUnavailable."""
        path = self._path(name)
        try:
            seen = path.stat()
            mark = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
            known = self._known.get(name)
            if known is None or known[0] != mark:
                if seen.st_size > MOST_BYTES:
                    raise ValueError
                known = self._known[name] = (mark, Approval.model_validate_json(path.read_bytes()))
            return known[1]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be read ({error.strerror}). Check who may read it.") from error
        except (ValidationError, ValueError) as error:
            raise StorageUnavailable(f"{path} is damaged. Remove it, and approve the server anew.") from error

    def approve(self, config: ServerConfig, tools: Sequence[Definition]) -> None:
        """Puts these in the place of what was approved before. StorageUnavailable."""
        path = self._path(config.name)
        new = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
        text = Approval(origin=config.origin, tools=tuple(tools)).model_dump_json(indent=1)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with open(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(new, path)
            finally:
                new.unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable(
                f"{path} cannot be written ({error.strerror}). Free disk space, or check who may write there."
            ) from error

    def revoke(self, name: str) -> bool:
        """Takes back all that was approved of a server; whether there was anything. StorageUnavailable."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageUnavailable(
                f"{self._path(name)} cannot be removed ({error.strerror}). Check who may write there."
            ) from error
        return True

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
