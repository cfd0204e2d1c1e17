"""The resources that the suite reads."""

import json
import re

import mcp.types as types
from mcp.shared.exceptions import MCPError

from mcp_server.ide.updates import Context
from tests.mcp_server.conformance.samples import PNG

TEXT, BINARY, WATCHED = "test://static-text", "test://static-binary", "test://watched-resource"
TEMPLATE = re.compile(r"test://template/([^/]+)/data")
PLAIN, JSON = "text/plain", "application/json"
LISTED = [
    types.Resource(uri=TEXT, name="text", description="a text", mime_type=PLAIN),
    types.Resource(uri=BINARY, name="picture", description="a picture", mime_type="image/png"),
    types.Resource(uri=WATCHED, name="watched", description="a text that may change", mime_type=PLAIN),
]
TEMPLATES = [
    types.ResourceTemplate(
        uri_template="test://template/{id}/data", name="data", description="data by id", mime_type=JSON
    )
]


async def list_resources(_context: Context, _params: object) -> types.ListResourcesResult:
    """All of them."""
    return types.ListResourcesResult(resources=LISTED)


async def list_templates(_context: Context, _params: object) -> types.ListResourceTemplatesResult:
    """The one template."""
    return types.ListResourceTemplatesResult(resource_templates=TEMPLATES)


async def read_resource(_context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    """What a URI holds. MCPError."""
    return types.ReadResourceResult(contents=[_contents(params.uri)])


async def subscribe(_context: Context, _params: types.SubscribeRequestParams) -> types.EmptyResult:
    """Nothing ever changes."""
    return types.EmptyResult()


async def unsubscribe(_context: Context, _params: types.UnsubscribeRequestParams) -> types.EmptyResult:
    """Nothing ever changed."""
    return types.EmptyResult()


def _contents(uri: str) -> types.TextResourceContents | types.BlobResourceContents:
    if uri == BINARY:
        return types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
    if uri == TEXT:
        text = "This is the content of the static text resource."
        return types.TextResourceContents(uri=uri, mime_type=PLAIN, text=text)
    if uri == WATCHED:
        return types.TextResourceContents(uri=uri, mime_type=PLAIN, text="watched")
    if (place := TEMPLATE.fullmatch(uri)) is not None:
        data = json.dumps({"id": place[1], "templateTest": True, "data": f"Data for ID: {place[1]}"})
        return types.TextResourceContents(uri=uri, mime_type=JSON, text=data)
    raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
