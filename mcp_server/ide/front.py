"""The client at the other end of a request: progress goes there, and questions where it can put them to somebody."""

from collections.abc import Iterable
from typing import Any

import mcp.types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from domain.approval import MOST_NOTE, SHOWN_SUMMARY, ApprovalAnswer, OpenQuestion
from domain.base import Value
from domain.text import excerpt, plain

MOST_ROUNDS = 8
"""How often one call is interrupted for questions: clients give up after ten times."""

SCHEMA: types.ElicitRequestedSchema = {
    "type": "object",
    "properties": {
        "approve": {"type": "boolean", "title": "Approve", "description": "Whether the specialist may do this."},
        "note": {"type": "string", "title": "Note", "description": "A word on why, for the specialist."},
    },
    "required": ["approve"],
}
SAID = {"decline": "declined", "cancel": "the question was closed without an answer"}


class Resumed(Value):
    """Where a call goes on that was interrupted for questions: its task, the last event that it told of, and how often
    it was interrupted. The client hands it back, sealed by the server."""

    task_id: str
    seq: int
    rounds: int


class Front:
    """Without a ``context`` nobody is there: nothing is told, and nothing can be asked."""

    def __init__(
        self, context: ServerRequestContext[Any, Any] | None = None, call: types.CallToolRequestParams | None = None
    ) -> None:
        self._context = context
        self._call = call
        self.wants: types.InputRequiredResult | None = None

    @property
    def gave_up(self) -> bool:
        """Whether a request that ended early was given up by its client, and not by the end of a session, to which the
        client may come back."""
        if self._context is None or self._context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return True
        # The SDK tells handlers in no public way whether the client cancelled their request.
        channel: Any = self._context.session._request_outbound
        return bool(channel.cancel_requested.is_set())

    async def report(self, progress: float, message: str) -> None:
        """Tells how the request gets on; ``progress`` only ever grows."""
        if self._context is not None:
            await self._context.session.report_progress(progress, message=message)

    @property
    def can_ask(self) -> bool:
        """Whether the client can put a question to somebody."""
        declared = self._context.session.client_capabilities if self._context is not None else None
        if declared is None or declared.elicitation is None:
            return False
        # A client that names no mode means forms.
        return declared.elicitation.form is not None or declared.elicitation.url is None

    @property
    def asks_now(self) -> bool:
        """Whether a question can be asked in the middle of a request; else the request is answered with it."""
        return self._context is not None and self._context.session.can_send_request

    async def ask(self, question: OpenQuestion) -> ApprovalAnswer | None:
        """What somebody said; None where the client could not ask."""
        assert self._context is not None
        try:
            result = await self._context.session.elicit_form(
                _message(question), SCHEMA, related_request_id=self._context.request_id
            )
        except MCPError:
            return None
        return _answer(result)

    def interrupt(self, questions: Iterable[OpenQuestion], at: Resumed) -> None:
        """Has the request answered with questions; the client makes it again with the answers."""
        requests: types.InputRequests = {
            question.id: types.ElicitRequest(
                params=types.ElicitRequestFormParams(message=_message(question), requested_schema=SCHEMA)
            )
            for question in questions
        }
        self.wants = types.InputRequiredResult(input_requests=requests, request_state=at.model_dump_json())

    @property
    def resumed(self) -> Resumed | None:
        """Where the call goes on, if it was interrupted."""
        state = self._call.request_state if self._call is not None else None
        return None if state is None else Resumed.model_validate_json(state)

    @property
    def answers(self) -> dict[str, ApprovalAnswer]:
        """The answers that came with the request, by the ids of their questions."""
        responses = (self._call.input_responses if self._call is not None else None) or {}
        return {name: _answer(said) for name, said in responses.items() if isinstance(said, types.ElicitResult)}


def _message(question: OpenQuestion) -> str:
    asked = question.question
    return (
        f"Task {asked.task_id}: may the {plain(asked.actor)} use {plain(asked.tool)}?\n"
        f"What it would do, as the model wrote it: {excerpt(plain(asked.summary), SHOWN_SUMMARY)}"
    )


def _answer(result: types.ElicitResult) -> ApprovalAnswer:
    """Only a plain yes is one."""
    if result.action != "accept":
        return ApprovalAnswer(approved=False, note=SAID[result.action])
    content = result.content or {}
    note = content.get("note")
    return ApprovalAnswer(
        approved=content.get("approve") is True, note=plain(note)[:MOST_NOTE] if isinstance(note, str) else ""
    )
