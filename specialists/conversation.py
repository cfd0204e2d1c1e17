"""The conversation of a specialist with its model, in either of two ways of acting."""

from domain.chat import (
    AssistantMessage,
    Message,
    ModelReply,
    ModelRequest,
    SystemMessage,
    ToolCall,
    ToolMessage,
    ToolSchema,
    UserMessage,
)
from domain.text import excerpt
from specialists import context, text_protocol
from specialists.arguments import valid_json
from specialists.assignment import Assignment
from specialists.role import Role

RAMBLING_CHARACTERS = 1_000
SMALLEST_CONTEXT = 500
NATIVE_CORRECTION = (
    "That reply called no tool. Call one of your tools now. When all is done and the tests pass, call submit."
)
TEXT_CORRECTION = (
    "That reply held no action. Reply with one block that starts with ```file path=NAME and holds the whole file, "
    "or one ```sh block with a command, or the line SUBMIT: summary. For example:\n\n"
    "```file path=app.py\nprint('hello')\n```"
)


class Conversation:
    """The messages so far. ``native`` says whether the model calls tools or acts in plain text."""

    def __init__(self, role: Role, assignment: Assignment, tools: tuple[ToolSchema, ...]) -> None:
        self._role = role
        self._assignment = assignment
        self._tools = tools
        self._context_tokens = assignment.context_tokens
        self.native = True
        self._messages: list[Message] = [
            SystemMessage(content=role.prompt),
            UserMessage(content=assignment.brief),
        ]

    def use_text(self) -> None:
        """Goes over to plain text, with a fresh start: what was said in the other way would only confuse."""
        self.native = False
        self._messages = [
            SystemMessage(content=f"{self._role.prompt}\n\n{text_protocol.instructions()}"),
            UserMessage(content=self._assignment.brief),
        ]

    def request(self) -> ModelRequest:
        """What to send now."""
        return ModelRequest(
            model=self._assignment.model,
            messages=context.fit(self._messages, self._context_tokens),
            tools=self._tools if self.native else (),
            max_output_tokens=self._role.max_output_tokens,
        )

    def hear(self, reply: ModelReply) -> tuple[ToolCall, ...]:
        """Takes a reply in and returns the actions that it wants, whichever way it says so."""
        calls = reply.message.tool_calls if self.native else ()
        if calls:
            kept = tuple(call.model_copy(update={"arguments": valid_json(call.arguments)}) for call in calls)
            self._messages.append(AssistantMessage(content=reply.message.content, tool_calls=kept))
            return calls
        content = reply.message.content or "(nothing)"
        actions = text_protocol.parse(content, self._assignment.targets)
        # Rambling is not worth the context that it takes.
        said = content if actions else excerpt(content, RAMBLING_CHARACTERS)
        self._messages.append(AssistantMessage(content=said))
        return actions

    def shrink(self) -> bool:
        """Makes do with half the context; False when there is nothing left to shorten."""
        self._context_tokens = min(self._context_tokens, context.size(self._messages)) // 2
        return self._context_tokens > SMALLEST_CONTEXT

    def show(self, results: list[tuple[ToolCall, str]]) -> None:
        """Tells the model what came of its actions, in the way in which it acted."""
        last = self._messages[-1]
        if isinstance(last, AssistantMessage) and last.tool_calls:
            self._messages += [ToolMessage(tool_call_id=call.id, content=text) for call, text in results]
            return
        parts = [f"Result of {call.name}:\n{text}" for call, text in results]
        self._messages.append(UserMessage(content="\n\n".join(parts)))

    def correct(self) -> None:
        """Tells the model that its reply held no action, and how one looks."""
        self._messages.append(UserMessage(content=NATIVE_CORRECTION if self.native else TEXT_CORRECTION))

    def nudge(self, text: str) -> None:
        """Says something to the model between its steps."""
        self._messages.append(UserMessage(content=text))
