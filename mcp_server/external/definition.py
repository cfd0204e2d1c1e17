"""What a server tells of a tool, within limits; whatever differs in it is another tool."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import mcp.types as types
from pydantic import Field

from domain.base import Value
from domain.text import one_line, plain
from mcp_server.external.config import ServerConfig

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
BETWEEN = "__"
"""What stands between the names of a server and its tool; a server's own name cannot hold it."""
MOST_TOOLS = 64
MOST_DESCRIPTION = 20_000
MOST_SCHEMA_BYTES = 32 * 1024
MOST_DEPTH = 24
MOST_NUMBER = 2**63


class Unfit(Exception):
    """A tool cannot be offered to a model; the message says why."""


class Definition(Value):
    """A tool as its server defines it. ``claims`` are MCP's annotations, which are its own word."""

    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None = None
    claims: dict[str, bool] = Field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Of everything that is in it."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


class Listing(Value):
    """What a server offers now. ``left_out`` says of tools by name why they are not among ``tools``."""

    tools: tuple[Definition, ...]
    left_out: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Of all its tools together."""
        return hashlib.sha256("".join(sorted(tool.digest for tool in self.tools)).encode()).hexdigest()


def public_name(server: str, tool: str) -> str:
    """The tool's name for models."""
    return f"{server}{BETWEEN}{tool}"


def vetted(config: ServerConfig, listed: Iterable[types.Tool]) -> Listing:
    """The tools that can be offered. Two that share a name are both left out: nobody knows which one is meant."""
    listed = list(listed)
    counts = Counter(tool.name for tool in listed)
    tools: list[Definition] = []
    left_out: list[str] = []
    for tool in listed:
        if not config.offers(tool.name):
            continue
        try:
            if counts[tool.name] > 1:
                raise Unfit("two tools have that name")
            if len(tools) == MOST_TOOLS:
                raise Unfit(f"there are more than {MOST_TOOLS}; choose some with tools = [...]")
            tools.append(_definition(config, tool))
        except Unfit as reason:
            left_out.append(f"{one_line(tool.name, 64)}: {reason}")
    return Listing(tools=tuple(tools), left_out=tuple(left_out[:MOST_TOOLS]))


def _definition(config: ServerConfig, tool: types.Tool) -> Definition:
    if not tool.name or not NAME.fullmatch(public_name(config.name, tool.name)):
        raise Unfit("its name is too long, or holds more than letters, digits, _ and -")
    description = tool.description or ""
    if len(description) > MOST_DESCRIPTION:
        raise Unfit(f"its description is longer than {MOST_DESCRIPTION} characters")
    for schema in (tool.input_schema, tool.output_schema):
        _check(schema, 0)
        if len(json.dumps(schema)) > MOST_SCHEMA_BYTES:
            raise Unfit(f"its schema is larger than {MOST_SCHEMA_BYTES} bytes")
    properties = tool.input_schema.get("properties", {})
    if tool.input_schema.get("type") != "object" or not isinstance(properties, dict):
        raise Unfit("its arguments are no object")
    if not all(NAME.fullmatch(name) and isinstance(field, dict) for name, field in properties.items()):
        raise Unfit("an argument has a name or a schema that models do not take")
    annotations = tool.annotations or types.ToolAnnotations()
    claims = {key: value for key, value in annotations.model_dump().items() if isinstance(value, bool)}
    return Definition(
        name=tool.name, description=description, input_schema=tool.input_schema, output_schema=tool.output_schema,
        claims=claims,
    )  # fmt: skip


def _check(value: object, depth: int) -> None:
    """Unfit where a schema is deeper, or holds other numbers and characters, than others may cope with."""
    if depth > MOST_DEPTH:
        raise Unfit(f"its schema is deeper than {MOST_DEPTH} levels")
    match value:
        case dict():
            for key, one in value.items():
                _check(key, depth)
                _check(one, depth + 1)
        case list():
            for one in value:
                _check(one, depth + 1)
        case float() if not math.isfinite(value):
            raise Unfit("its schema holds a number that is none")
        case int() if abs(value) > MOST_NUMBER:
            raise Unfit("its schema holds a number that is too large")
        case str() if plain(value) != value.replace("\r\n", "\n"):
            raise Unfit("its schema holds control characters")


def shown_schema(schema: Any, most: int) -> Any:
    """A schema as models get it: its descriptions on one line and cut at ``most`` characters, without titles."""
    if isinstance(schema, list):
        return [shown_schema(one, most) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: one_line(value, most) if key == "description" and isinstance(value, str) else shown_schema(value, most)
        for key, value in schema.items()
        if not (key in {"title", "$comment"} and isinstance(value, str))
    }
