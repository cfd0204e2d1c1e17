"""What an external tool answered, as a model reads it: data of a third party, and nothing else."""

import json
from collections.abc import Iterable

import mcp.types as types

from domain.text import one_line
from mcp_server.tool import ToolOutcome
from mcp_server.untrusted import untrusted

MOST_CHARACTERS = 1_000_000


def as_outcome(server: str, result: types.CallToolResult) -> ToolOutcome:
    """Its text, or else its data; what is no text is named."""
    parts = list(_texts(result.content))
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    text = "\n".join(parts)
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}\n[the rest of it was left out]"
    return ToolOutcome(text=untrusted(f"the external server {server}", text), ok=not result.is_error)


def _texts(content: Iterable[types.ContentBlock]) -> Iterable[str]:
    for block in content:
        match block:
            case types.TextContent():
                yield block.text
            case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
                yield resource.text
            case types.ResourceLink():
                yield f"[a link to {one_line(block.uri)}, which cannot be read here]"
            case _:
                yield f"[{block.type}: it cannot be shown here]"
