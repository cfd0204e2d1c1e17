"""Puts a reply together from what a provider sends, in pieces or as a whole."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from pydantic import JsonValue

from domain.chat import AssistantMessage, Delta, FinishReason, ModelReply, ModelRequest, ToolCall, Usage
from domain.errors import ModelProtocolError
from domain.text import well_formed
from domain.thinking import Thinking
from domain.tokens import estimate_usage

SIGN_OF_LIFE = Delta()
"""For a piece that has nothing to show: whoever waits sees that something came."""


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class Answer:
    """The answer to ``request`` as far as it has come. Text that a model put between think tags counts as reasoning.

    ``finish`` and ``usage`` are set by whoever reads the provider's answer, as soon as it tells them, and ``refused``
    when the text is the model's excuse. Text that is held back, as it could be half a tag, comes with the reply alone.
    """

    def __init__(self, request: ModelRequest) -> None:
        self.finish: FinishReason | None = None
        self.usage: Usage | None = None
        self.refused = False
        self._request = request
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._thinking = Thinking()
        self._calls: list[_Call] = []
        self._open: dict[int | None, _Call] = {}

    def hear(self, text: str, reasoning: str = "") -> Delta:
        """Takes text in; returns what of it can be shown already."""
        if text:
            text, thought = self._thinking.part(text)
            reasoning += thought
        if not text and not reasoning:
            return SIGN_OF_LIFE
        self._text.append(text)
        self._reasoning.append(reasoning)
        return Delta(text=well_formed(text), reasoning=well_formed(reasoning))

    @property
    def calls(self) -> int:
        """How many tool calls have come so far."""
        return len(self._calls)

    def call(self, place: int | None, call_id: str, name: str, arguments: str | dict[str, JsonValue]) -> None:
        """Takes a tool call in, or the next piece of the one at ``place``."""
        # Some servers leave the place out, or give each of several calls the place 0: a new id begins a new call.
        known = self._open.get(place)
        if known is None or (call_id and known.id and call_id != known.id):
            known = _Call()
            self._calls.append(known)
            self._open[place] = known
        known.id = known.id or call_id
        known.name = known.name or name
        known.arguments.append(arguments if isinstance(arguments, str) else json.dumps(arguments))

    def reply(self) -> ModelReply:
        """The whole reply; ModelProtocolError when the provider never said that its answer is at an end, with
        the usage if it told one."""
        if self.finish is None:
            raise ModelProtocolError("The provider's answer ended before it was complete. Run it again.", self.usage)
        text, thought = self._thinking.rest()
        text = well_formed("".join([*self._text, text]))
        reasoning = well_formed("".join([*self._reasoning, thought]))
        free = _free_ids(self._request)
        calls = tuple(
            ToolCall(
                id=well_formed(call.id) or next(free),
                name=well_formed(call.name),
                arguments=well_formed("".join(call.arguments)),
            )
            for call in self._calls
        )
        # Many servers say "stop" of tool calls, too.
        finish = FinishReason.TOOL_CALLS if calls and self.finish is FinishReason.STOP else self.finish
        said = text + reasoning + "".join(call.arguments for call in calls)
        return ModelReply(
            message=AssistantMessage(content=text, tool_calls=calls),
            usage=self.usage or estimate_usage(self._request, said),
            finish_reason=FinishReason.CONTENT_FILTER if self.refused else finish,
            reasoning=reasoning,
        )


def _free_ids(request: ModelRequest) -> Iterator[str]:
    """Ids for calls that came without one: every provider takes them, and the conversation has none of them yet."""
    taken = {call.id for message in request.messages if message.role == "assistant" for call in message.tool_calls}
    return (name for name in (f"call{n:05}" for n in count(len(taken))) if name not in taken)
