"""How an external server is reached, and what it may do."""

import hashlib
import json
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from domain.base import Value
from mcp_server.web.url import parse_url
from sandbox.egress.endpoint import InvalidEndpoint, web_endpoints
from sandbox.egress.refusal import BadRequest

SERVER_NAME = r"^[a-z][a-z0-9-]{0,31}$"
OF_A_COMMAND = frozenset({"language", "image", "profile", "files", "environment", "environment_from", "hosts"})
OF_A_URL = frozenset({"bearer_from"})


class ServerConfig(Value):
    """A server's table in ``servers.toml``: a ``command`` that is run in a sandbox, or a ``url``.

    ``files`` is a folder whose files a command finds in its working folder. ``environment_from`` and ``bearer_from``
    name variables of Soundstage's own environment, whose values are ``secrets``. ``hosts`` are all that a command
    reaches, as name or name:port; they and a ``url`` lie at an address ``inside`` of a network only where that is said.
    With ``handshake`` a server is spoken to as before 2026 at once, without being asked what it speaks. ``tools`` are
    patterns of names. Where a server is ``trusted``, what it claims of its tools (that one only reads) is believed.
    Times are seconds: until it is connected, of one call, and without a call until it is let go.
    """

    name: str = Field(pattern=SERVER_NAME)
    command: tuple[str, ...] = ()
    language: str = "python"
    image: str | None = None
    profile: str = "default"
    files: Path | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    environment_from: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    url: str | None = None
    bearer_from: str | None = None
    inside: bool = False
    handshake: bool = False
    tools: tuple[str, ...] = ("*",)
    trusted: bool = False
    connect_s: float = Field(default=10.0, gt=0, le=300)
    call_s: float = Field(default=60.0, gt=0, le=900)
    idle_s: float = Field(default=300.0, gt=0, le=3600)
    secrets: dict[str, SecretStr] = Field(default_factory=dict, exclude=True)

    @model_validator(mode="after")
    def _one_way(self) -> "ServerConfig":
        if bool(self.command) == (self.url is not None):
            raise ValueError("give it either a command or a url")
        wrong = sorted(self.model_fields_set & (OF_A_URL if self.command else OF_A_COMMAND))
        if wrong:
            raise ValueError(f"{wrong[0]} is not for a server with a {'command' if self.command else 'url'}")
        return self

    @field_validator("hosts")
    @classmethod
    def _readable(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for host in hosts:
                web_endpoints(host)
        except InvalidEndpoint as error:
            raise ValueError(str(error)) from error
        return hosts

    @field_validator("url")
    @classmethod
    def _sendable(cls, url: str | None) -> str | None:
        try:
            return None if url is None else str(parse_url(url))
        except (BadRequest, InvalidEndpoint) as error:
            raise ValueError(str(error)) from error

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of Soundstage's own environment that it asks for."""
        return (*self.environment_from, *((self.bearer_from,) if self.bearer_from else ()))

    @property
    def origin(self) -> str:
        """A digest of what runs and where: an approval is of that, and of nothing else."""
        what = [self.command, self.language, self.image, str(self.files), self.url]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    def offers(self, tool: str) -> bool:
        """Whether its configuration lets a tool through."""
        return any(fnmatchcase(tool, pattern) for pattern in self.tools)
