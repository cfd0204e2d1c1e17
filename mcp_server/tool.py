"""What a tool is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import mcp.types as types
from pydantic import BaseModel, Field, SerializeAsAny
from pydantic.json_schema import GenerateJsonSchema

from domain.base import Value
from domain.replies import ReplyProblem
from mcp_server.caller import Permission, Session

EXAMPLE, VERSION = "soundstage/example", "soundstage/version"
"""Where a tool's description over MCP holds valid arguments and its version, in its ``_meta``."""

S = TypeVar("S", bound=Session)
A = TypeVar("A", bound=BaseModel)


class ToolLimits(Value):
    """Seconds that a call may take, characters of its text that are shown at once, and bytes of its blocks together."""

    timeout_s: float = Field(default=330.0, gt=0)
    shown: int = Field(default=16_000, gt=0)
    block_bytes: int = Field(default=8 * 2**20, ge=0)


class ToolOutcome(Value):
    """What a tool answers: ``text`` for whoever reads, and ``data`` for programs, where the tool has such.

    ``blocks`` are shown after the text: images, sounds, embedded resources. ``problem`` says that the call was wrong,
    and that nothing was run.
    """

    text: str
    ok: bool = True
    problem: ReplyProblem | None = None
    data: SerializeAsAny[BaseModel] | None = None
    blocks: tuple[types.ContentBlock, ...] = ()

    @property
    def block_bytes(self) -> int:
        """The size of the blocks, as JSON."""
        return sum(len(block.model_dump_json(by_alias=True, exclude_none=True).encode()) for block in self.blocks)


class ToolRefused(Exception):
    """The tool will not do that; the message says why and what to do instead. It goes to the caller."""


class _Untitled(GenerateJsonSchema):
    """Schemas whose fields have no titles: those repeat the names, and every request to a model carries them."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """Never."""
        del schema
        return False


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in {"title", "description"}}


@dataclass(frozen=True)
class Tool(Generic[S, A]):
    """A tool: its name and description for models, the session that it works in, its arguments, what it needs and does.

    ``data`` is the type of the data in its outcomes. ``read_only``, ``destructive``, ``idempotent`` and ``open_world``
    are MCP's annotations. ``example`` is a valid set of arguments. A ``version`` is raised when the same arguments come
    to mean something else.
    """

    name: str
    description: str
    session: type[S]
    arguments: type[A]
    permission: Permission
    handler: Callable[[S, A], Awaitable[ToolOutcome]]
    example: dict[str, Any]
    data: type[BaseModel] | None = None
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    open_world: bool = False
    limits: ToolLimits = field(default_factory=ToolLimits)
    version: str = "1"

    def is_for(self, session: Session) -> bool:
        """Whether the caller of a session may use it there."""
        return isinstance(session, self.session) and self.permission in session.caller.permissions

    @cached_property
    def described(self) -> types.Tool:
        """The tool as MCP lists it."""
        return types.Tool(
            name=self.name,
            description=self.description,
            input_schema=_bare(self.arguments.model_json_schema(schema_generator=_Untitled)),
            output_schema=None if self.data is None else self.data.model_json_schema(mode="serialization"),
            _meta={EXAMPLE: self.example, VERSION: self.version},
            annotations=types.ToolAnnotations(
                read_only_hint=self.read_only,
                destructive_hint=self.destructive,
                idempotent_hint=self.idempotent,
                open_world_hint=self.open_world,
            ),
        )
