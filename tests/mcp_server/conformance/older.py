"""What servers of the handshake era do to their clients, and what the newest protocol deprecates: logging, sampling."""

import warnings

import mcp.types as types
from mcp.shared.exceptions import MCPDeprecationWarning

from mcp_server.ide.updates import Context


async def log(context: Context, text: str) -> None:
    """Logs a line for the client, where it wants such."""
    with warnings.catch_warnings(action="ignore", category=MCPDeprecationWarning):
        sending = context.session.send_log_message("info", text, related_request_id=context.request_id)
    await sending


async def sample(context: Context, message: types.SamplingMessage) -> types.CreateMessageResult:
    """What the client's model says."""
    with warnings.catch_warnings(action="ignore", category=MCPDeprecationWarning):
        sampling = context.session.create_message([message], max_tokens=100, related_request_id=context.request_id)
    return await sampling
