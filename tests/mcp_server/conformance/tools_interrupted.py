"""Tools whose calls are answered with questions first, as servers of the stateless era do."""

import json
from typing import Any

import mcp.types as types

from mcp_server.tool import ToolOutcome
from tests.mcp_server.conformance.probe import ProbeSession, probe
from tests.mcp_server.conformance.samples import TEXT, YES_OR_NO, form, sampling

NAME = form("What is your name?", name=TEXT)
CAPITAL = sampling("What is the capital of France?")
GREETING = sampling("Write a greeting.")
ROOTS = types.ListRootsRequest()
CONFIRM = form("Is that right?", ok=YES_OR_NO)


def _said(session: ProbeSession, name: str) -> dict[str, Any] | None:
    """The fields that the user filled in; None where that question is not answered in a usable way."""
    answer = session.answers.get(name)
    return dict(answer.content or {}) if isinstance(answer, types.ElicitResult) and answer.action == "accept" else None


async def _name(session: ProbeSession) -> ToolOutcome:
    said = _said(session, "user_name")
    if said is None or not isinstance(said.get("name"), str):
        return session.want({"user_name": NAME})
    return ToolOutcome(text=f"Hello, {said['name']}!")


async def _capital(session: ProbeSession) -> ToolOutcome:
    answer = session.answers.get("capital_question")
    if not isinstance(answer, types.CreateMessageResult):
        return session.want({"capital_question": CAPITAL})
    return ToolOutcome(text=answer.content.text if isinstance(answer.content, types.TextContent) else "no text")


async def _roots(session: ProbeSession) -> ToolOutcome:
    answer = session.answers.get("client_roots")
    if not isinstance(answer, types.ListRootsResult):
        return session.want({"client_roots": ROOTS})
    return ToolOutcome(text=f"{len(answer.roots)} roots")


async def _confirm(session: ProbeSession) -> ToolOutcome:
    if session.params.request_state != "asked" or _said(session, "confirm") is None:
        return session.want({"confirm": CONFIRM}, "asked")
    return ToolOutcome(text="state-ok")


async def _several(session: ProbeSession) -> ToolOutcome:
    if session.answers.keys() >= {"user_name", "greeting", "client_roots"}:
        return ToolOutcome(text="All three were answered.")
    return session.want({"user_name": NAME, "greeting": GREETING, "client_roots": ROOTS}, "several")


async def _rounds(session: ProbeSession) -> ToolOutcome:
    state = json.loads(session.params.request_state or "{}")
    first, second = _said(session, "step1"), _said(session, "step2")
    if "name" in state and second is not None:
        return ToolOutcome(text=f"{state['name']} likes {second.get('color')}.")
    if first is not None:
        return session.want({"step2": form("Which colour?", color=TEXT)}, json.dumps({"name": first.get("name")}))
    return session.want({"step1": NAME}, json.dumps({"round": 1}))


async def _declared(session: ProbeSession) -> ToolOutcome:
    declared = session.context.session.client_capabilities or types.ClientCapabilities()
    requests: types.InputRequests = {}
    if declared.sampling is not None:
        requests["greeting"] = GREETING
    if declared.elicitation is not None:
        requests["user_name"] = NAME
    return session.want(requests)


PREFIX = "test_input_required_result_"
INTERRUPTED_TOOLS = (
    probe(PREFIX + "elicitation", "asks for a name", _name),
    probe(PREFIX + "sampling", "asks the client's model", _capital),
    probe(PREFIX + "list_roots", "asks for the client's roots", _roots),
    probe(PREFIX + "request_state", "asks, and looks at the state that comes back", _confirm),
    probe(PREFIX + "tampered_state", "asks, and looks at the state that comes back", _confirm),
    probe(PREFIX + "multiple_inputs", "asks for several things at once", _several),
    probe(PREFIX + "multi_round", "asks one thing after the other", _rounds),
    probe(PREFIX + "capabilities", "asks only what the client can answer", _declared),
)
