"""Tools that ask the client in the middle of a call, as servers of the handshake era do."""

import json
from typing import Any

import mcp.types as types
from pydantic import BaseModel

from mcp_server.caller import Permission
from mcp_server.tool import Tool, ToolOutcome
from tests.mcp_server.conformance.older import sample
from tests.mcp_server.conformance.probe import ProbeSession, probe
from tests.mcp_server.conformance.samples import TEXT, form

STATUS = ["active", "inactive", "pending"]
DEFAULTS: dict[str, Any] = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": STATUS, "default": "active"},
    "verified": {"type": "boolean", "default": True},
}


def _titled(**titles: str) -> list[dict[str, str]]:
    return [{"const": value, "title": title} for value, title in titles.items()]


CHOICES: dict[str, Any] = {
    "untitledSingle": {"type": "string", "enum": STATUS},
    "titledSingle": {"type": "string", "oneOf": _titled(low="Low", medium="Medium", high="High")},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["read", "write", "execute"]}},
    "titledMulti": {"type": "array", "items": {"anyOf": _titled(feature="Feature", bug="Bug", docs="Documents")}},
    "legacyEnum": {"type": "string", "enum": ["small", "large"], "enumNames": ["Small", "Large"]},
}


class Sampling(BaseModel):
    """What to ask the client's model."""

    prompt: str


class Asking(BaseModel):
    """What to ask the user."""

    message: str


async def _sample(session: ProbeSession, arguments: Sampling) -> ToolOutcome:
    content = types.TextContent(type="text", text=arguments.prompt)
    result = await sample(session.context, types.SamplingMessage(role="user", content=content))
    said = result.content.text if isinstance(result.content, types.TextContent) else "no text"
    return ToolOutcome(text=f"LLM response: {said}")


async def _ask(session: ProbeSession, message: str, properties: dict[str, Any]) -> ToolOutcome:
    schema: types.ElicitRequestedSchema = {"type": "object", "properties": properties}
    context = session.context
    result = await context.session.elicit_form(message, schema, related_request_id=context.request_id)
    return ToolOutcome(text=f"User response: action={result.action}, content={json.dumps(result.content)}")


async def _elicit(session: ProbeSession, arguments: Asking) -> ToolOutcome:
    return await _ask(session, arguments.message, {"username": TEXT, "email": TEXT})


async def _defaults(session: ProbeSession) -> ToolOutcome:
    return await _ask(session, "Who are you?", DEFAULTS)


async def _choices(session: ProbeSession) -> ToolOutcome:
    return await _ask(session, "What do you choose?", CHOICES)


async def _stream(session: ProbeSession) -> ToolOutcome:
    return session.want({"word": form("Say a word.", word=TEXT)})


ASKING_TOOLS = (
    Tool(
        name="test_sampling", description="asks the client's model", session=ProbeSession, arguments=Sampling,
        permission=Permission.SEE_TASKS, handler=_sample, example={"prompt": "Hello"},
    ),
    Tool(
        name="test_elicitation", description="asks the user", session=ProbeSession, arguments=Asking,
        permission=Permission.SEE_TASKS, handler=_elicit, example={"message": "Who are you?"},
    ),
    probe("test_elicitation_sep1034_defaults", "asks with defaults", _defaults),
    probe("test_elicitation_sep1330_enums", "asks with choices", _choices),
    probe("test_streaming_elicitation", "asks in the answer, and never in the stream", _stream),
)  # fmt: skip
