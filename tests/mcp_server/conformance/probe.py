"""What the tools that the conformance suite calls by name have in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import mcp.types as types
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from domain.errors import InfrastructureError
from mcp_server.caller import Caller, Permission
from mcp_server.ide.callers import key_holder
from mcp_server.ide.updates import Context
from mcp_server.registry import Registry
from mcp_server.tool import Tool, ToolOutcome


@dataclass
class ProbeSession:
    """Implements ``mcp_server.caller.Session`` for one call of the suite.

    A tool leaves in ``wants`` what the client has to answer first, and in ``refusal`` an error of the protocol.
    """

    context: Context
    params: types.CallToolRequestParams
    registry: Registry
    bus: InMemorySubscriptionBus
    failure: InfrastructureError | None = None
    dropped: tuple[str, ...] = ()
    wants: types.InputRequiredResult | None = None
    refusal: MCPError | None = None
    caller: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.caller = key_holder(self.context)

    async def keep(self, text: str) -> str | None:
        """Nothing is kept."""
        del text
        return None

    @property
    def answers(self) -> types.InputResponses:
        """What the client answered to questions of the call before this one."""
        return self.params.input_responses or {}

    def want(self, requests: types.InputRequests, state: str | None = None) -> ToolOutcome:
        """Has the call answered with questions."""
        self.wants = types.InputRequiredResult(input_requests=requests, request_state=state)
        return ToolOutcome(text="")


class Nothing(BaseModel):
    """No arguments."""


Handler = Callable[[ProbeSession], Awaitable[ToolOutcome]]


def probe(name: str, description: str, handler: Handler) -> Tool[ProbeSession, Nothing]:
    """A tool without arguments."""

    async def handle(session: ProbeSession, arguments: Nothing) -> ToolOutcome:
        del arguments
        return await handler(session)

    return Tool(
        name=name, description=description, session=ProbeSession, arguments=Nothing, permission=Permission.SEE_TASKS,
        handler=handle, example={},
    )  # fmt: skip


def fixed(name: str, description: str, text: str, *blocks: types.ContentBlock) -> Tool[ProbeSession, Nothing]:
    """A tool that always answers the same."""

    async def answer(session: ProbeSession) -> ToolOutcome:
        del session
        return ToolOutcome(text=text, blocks=blocks)

    return probe(name, description, answer)
