"""Tools that answer at once, with each kind of content."""

from typing import Any

from pydantic import BaseModel, Field

from mcp_server.caller import Permission
from mcp_server.tool import Tool, ToolOutcome, ToolRefused
from tests.mcp_server.conformance.probe import ProbeSession, fixed, probe
from tests.mcp_server.conformance.samples import AUDIO, IMAGE, embedded

DIALECT: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


class Dialect(BaseModel):
    """Arguments whose schema uses what JSON Schema 2020-12 has."""

    @classmethod
    def model_json_schema(cls, *_given: Any, **_named: Any) -> dict[str, Any]:
        """The schema, which no model would make."""
        return dict(DIALECT)


class Region(BaseModel):
    """An argument that travels in a header as well."""

    region: str = Field(default="nowhere", json_schema_extra={"x-mcp-header": "Region"})


async def _refuse(_session: ProbeSession) -> ToolOutcome:
    raise ToolRefused("This tool always fails, and says so.")


async def _dialect(_session: ProbeSession, _arguments: Dialect) -> ToolOutcome:
    return ToolOutcome(text="taken")


async def _region(_session: ProbeSession, arguments: Region) -> ToolOutcome:
    return ToolOutcome(text=arguments.region)


SHOWING_TOOLS = (
    fixed("test_simple_text", "answers with text", "This is a simple text response for testing."),
    fixed("test_image_content", "answers with a picture", "", IMAGE),
    fixed("test_audio_content", "answers with a sound", "", AUDIO),
    fixed(
        "test_embedded_resource", "answers with a resource", "",
        embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
    ),
    fixed(
        "test_multiple_content_types", "answers with text, a picture and a resource", "Multiple content types test:",
        IMAGE, embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
    ),
    probe("test_error_handling", "fails", _refuse),
    Tool(
        name="json_schema_2020_12_tool", description="has a schema with everything", session=ProbeSession,
        arguments=Dialect, permission=Permission.SEE_TASKS, handler=_dialect, example={},
    ),
    Tool(
        name="test_x_mcp_header", description="takes an argument that is in a header, too", session=ProbeSession,
        arguments=Region, permission=Permission.SEE_TASKS, handler=_region, example={},
    ),
)  # fmt: skip
