"""The conversation of a specialist with its model, in either of two ways of acting."""

from domain.chat import (
    AssistantMessage,
    FinishReason,
    Message,
    ModelReply,
    ModelRequest,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSchema,
    UserMessage,
)
from domain.replies import ReplyProblem
from domain.text import excerpt
from domain.tokens import estimate_messages, estimate_most
from specialists import context, text_protocol
from specialists.arguments import valid_json
from specialists.assignment import Assignment
from specialists.correction import no_action
from specialists.reading.action import Action, Reading
from specialists.role import Role

RAMBLING_CHARACTERS = 1_000
SMALLEST_CONTEXT = 500
NOTHING = "(nothing)"


class Conversation:
    """The messages so far. ``native`` says whether the model calls tools or acts in plain text."""

    def __init__(self, role: Role, assignment: Assignment, tools: tuple[ToolSchema, ...]) -> None:
        self._role = role
        self._assignment = assignment
        self._tools = tools
        self._most = assignment.context_tokens
        self._output_tokens = min(role.max_output_tokens, assignment.context_tokens // 2)
        self.native = True
        self._messages = self._opening(role.prompt)
        self._kept = len(self._messages)

    def _opening(self, prompt: str) -> list[Message]:
        """What stays the same for longer goes first: model servers keep what they made of it."""
        texts = filter(None, (self._assignment.background, self._assignment.brief))
        return [SystemMessage(content=prompt), *(UserMessage(content=text) for text in texts)]

    def use_text(self) -> None:
        """Goes over to plain text, with a fresh start: what was said in the other way would only confuse."""
        self.native = False
        self._messages = self._opening(f"{self._role.prompt}\n\n{text_protocol.instructions()}")

    def request(self) -> ModelRequest:
        """What to send now."""
        empty = self._empty()
        return empty.model_copy(update={"messages": context.fit(self._messages, self._room(empty), self._kept)})

    def _empty(self) -> ModelRequest:
        """The request without a message."""
        return ModelRequest(
            model=self._assignment.model,
            messages=(),
            tools=self._tools if self.native else (),
            max_output_tokens=self._output_tokens,
            temperature=self._assignment.temperature,
        )

    def _room(self, empty: ModelRequest) -> int:
        """How many tokens the messages may be."""
        room = self._assignment.context_tokens - estimate_most(empty).total_tokens
        return max(SMALLEST_CONTEXT, min(self._most, room))

    def hear(self, reply: ModelReply) -> Reading:
        """Takes a reply in and returns the actions that it wants, whichever way it says so, or what is wrong."""
        calls = reply.message.tool_calls if self.native else ()
        if calls:
            kept = tuple(call.model_copy(update={"arguments": valid_json(call.arguments)}) for call in calls)
            self._messages.append(AssistantMessage(content=reply.message.content, tool_calls=kept))
            return Reading(actions=tuple(Action(call=call) for call in calls))
        cut_off = reply.finish_reason is FinishReason.LENGTH
        reading = text_protocol.read(reply.message.content, self._assignment.targets, self._tools, cut_off)
        # Thoughts and rambling are not worth the context that they take.
        said = reading.said if reading.actions else excerpt(reading.said, RAMBLING_CHARACTERS)
        self._messages.append(AssistantMessage(content=said.strip("\n") or NOTHING))
        return reading

    def shrink(self) -> bool:
        """Makes do with half the context; False when there is nothing left to shorten."""
        self._most = min(self._room(self._empty()), estimate_messages(self._messages)) // 2
        return self._most > SMALLEST_CONTEXT

    def show(self, results: list[tuple[ToolCall, str]]) -> None:
        """Tells the model what came of its actions, in the way in which it acted."""
        last = self._messages[-1]
        if isinstance(last, AssistantMessage) and last.tool_calls:
            self._messages += [ToolMessage(tool_call_id=call.id, content=text) for call, text in results]
            return
        parts = [f"Result of {call.name}:\n{text}" for call, text in results]
        self._messages.append(UserMessage(content="\n\n".join(parts)))

    def correct(self, problem: ReplyProblem) -> str:
        """Tells the model why its reply held no action, and how one looks; returns what it is told."""
        target = self._assignment.targets[0] if self._assignment.targets else ""
        told = no_action(problem, self.native, self._output_tokens, target)
        self._messages.append(UserMessage(content=told))
        return told

    def nudge(self, text: str) -> None:
        """Says something to the model between its steps."""
        self._messages.append(UserMessage(content=text))
