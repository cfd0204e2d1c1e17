"""A server of what the conformance suite looks for by name, on our table of tools and our dispatcher."""

from typing import Any

import mcp.types as types
from mcp.server import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler

from domain.audit import AuditEntry
from mcp_server.dispatcher import Dispatcher
from mcp_server.ide.updates import Context
from mcp_server.registry import Registry
from mcp_server.server import as_result
from tests.mcp_server.conformance import prompts, resources
from tests.mcp_server.conformance.probe import ProbeSession
from tests.mcp_server.conformance.tools_asking import ASKING_TOOLS
from tests.mcp_server.conformance.tools_interrupted import INTERRUPTED_TOOLS
from tests.mcp_server.conformance.tools_showing import SHOWING_TOOLS
from tests.mcp_server.conformance.tools_telling import TELLING_TOOLS

NAME = "soundstage-conformance"


class Nobody:
    """An audit log that nobody reads."""

    def record(self, entry: AuditEntry) -> None:
        """Forgets it."""


def build_probe_server() -> Server[Any]:
    """The server."""
    registry = Registry((*SHOWING_TOOLS, *TELLING_TOOLS, *ASKING_TOOLS, *INTERRUPTED_TOOLS))
    desk = _Desk(registry)
    server: Server[Any] = Server(
        NAME,
        version="1",
        get_tool_input_schema=desk.input_schema,
        on_list_tools=desk.list_tools,
        on_call_tool=desk.call_tool,
        on_list_resources=resources.list_resources,
        on_list_resource_templates=resources.list_templates,
        on_read_resource=resources.read_resource,
        on_subscribe_resource=resources.subscribe,
        on_unsubscribe_resource=resources.unsubscribe,
        on_subscriptions_listen=ListenHandler(desk.bus),
        on_list_prompts=prompts.list_prompts,
        on_get_prompt=prompts.get_prompt,
        on_completion=desk.complete,
    )
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, desk.set_level)
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME))
    return server


class _Desk:
    """Answers requests."""

    def __init__(self, registry: Registry) -> None:
        self.bus = InMemorySubscriptionBus()
        self._registry = registry
        self._dispatcher = Dispatcher(registry, Nobody())

    def input_schema(self, name: str) -> dict[str, Any] | None:
        tool = self._registry.get(name)
        return None if tool is None else tool.described.input_schema

    async def list_tools(self, context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        del context, params
        return types.ListToolsResult(tools=[tool.described for tool in self._registry.all()])

    async def call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        session = ProbeSession(context, params, self._registry, self.bus)
        outcome = await self._dispatcher.call(session, params.name, params.arguments or {})
        if session.refusal is not None:
            raise session.refusal
        return session.wants or as_result(outcome)

    async def complete(self, context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        del context
        values = [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
        return types.CompleteResult(completion=types.Completion(values=values, total=len(values), has_more=False))

    async def set_level(self, context: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
        del context, params
        return types.EmptyResult()
