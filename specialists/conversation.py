"""The conversation of a specialist with its model, in either of two ways of acting."""

from collections.abc import Sequence
from dataclasses import replace

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
from domain.tokens import estimate_most
from mcp_server.client import Observation
from specialists import context, text_protocol
from specialists.arguments import valid_json
from specialists.assignment import Assignment
from specialists.context import MOST_IN_A_ROW, History
from specialists.correction import no_action
from specialists.digest import NONE
from specialists.exchange import Exchange
from specialists.prompt import fill
from specialists.reading.action import Action, Reading
from specialists.reading.fruitless import why_fruitless
from specialists.role import Role
from specialists.tool_choice import choose

RAMBLING_CHARACTERS = 1_000
REPEATED_CHARACTERS = 100
SMALLEST_CONTEXT = 500
ANSWER_SHARE = 3
"""One part in so many of the context is the most that an answer may take."""
LEAST_OUTPUT = 512
"""After a reply that ran to its limit and said nothing, the next one may be half as long, down to this."""
NOTHING = "(nothing)"


class Conversation:
    """What was said so far. ``native`` says whether the model calls tools or acts in plain text; ``offered`` is what
    tools it is offered for that."""

    def __init__(self, role: Role, assignment: Assignment, tools: tuple[ToolSchema, ...]) -> None:
        self._assignment = assignment
        self._tools = tools
        self._most = min(role.context_tokens, assignment.context_tokens)
        self._context_tokens = self._most
        self._output_tokens = self._most_output = min(role.max_output_tokens, self._most // ANSWER_SHARE)
        self._cut_in_a_row = 0
        self.native = True
        self.offered = choose(tools, self._most)
        self._prompt = fill(role.prompt, assignment.language)
        self._history = History(self._opening(self._prompt))

    def _opening(self, prompt: str) -> tuple[Message, ...]:
        """What stays the same for longer goes first: model servers keep what they made of it."""
        texts = filter(None, (self._assignment.background, self._assignment.brief))
        return (SystemMessage(content=prompt), *(UserMessage(content=text) for text in texts))

    def use_text(self) -> None:
        """Goes over to plain text, with a fresh start: what was said in the other way would only confuse. What was
        done is told."""
        self.native = False
        opening = self._opening(f"{self._prompt}\n\n{text_protocol.instructions()}")
        done = self._history.digest.plus(self._history.exchanges)
        self._history = History(opening, done if done else NONE, digest_tokens=self._most // context.DIGEST_SHARE)

    def request(self) -> ModelRequest:
        """What to send now. What is cut for it stays cut."""
        empty = self.empty()
        fitted = context.fit(self._history, self._room(empty), hard=self._cut_in_a_row >= MOST_IN_A_ROW)
        self._cut_in_a_row = 0 if fitted is self._history else self._cut_in_a_row + 1
        self._history = fitted
        return empty.model_copy(update={"messages": fitted.messages})

    def empty(self) -> ModelRequest:
        """The request without a message."""
        return ModelRequest(
            model=self._assignment.model,
            messages=(),
            tools=self.offered.tools if self.native else (),
            max_output_tokens=self._output_tokens,
            temperature=self._assignment.temperature,
        )

    def _room(self, empty: ModelRequest) -> int:
        """How many tokens the messages may be."""
        room = self._context_tokens - estimate_most(empty).total_tokens
        return max(SMALLEST_CONTEXT, min(self._most, room))

    def hear(self, reply: ModelReply) -> Reading:
        """Takes a reply in and returns the actions that it wants, whichever way it says so, or what is wrong."""
        calls = reply.message.tool_calls if self.native else ()
        if calls:
            self._output_tokens = self._most_output
            kept = tuple(call.model_copy(update={"arguments": valid_json(call.arguments)}) for call in calls)
            self._heard(AssistantMessage(content=reply.message.content, tool_calls=kept))
            return Reading(actions=tuple(Action(call=call) for call in calls))
        cut_off = reply.finish_reason is FinishReason.LENGTH
        reading = text_protocol.read(reply.message.content, self._assignment.targets, self._tools, cut_off)
        said = reading.said
        if not reading.actions:
            problem = why_fruitless(reply, said, reading.problem)
            reading = reading.model_copy(update={"problem": problem})
            # Thoughts and rambling are not worth the context that they take, and what repeats itself is catching.
            said = excerpt(said, RAMBLING_CHARACTERS if problem is not ReplyProblem.REPETITION else REPEATED_CHARACTERS)
            if cut_off and _rambles(problem, said):
                self._output_tokens = max(LEAST_OUTPUT, self._output_tokens // 2)
        else:
            self._output_tokens = self._most_output
        self._heard(AssistantMessage(content=said.strip("\n") or NOTHING))
        return reading

    def _heard(self, message: AssistantMessage) -> None:
        exchanges = (*self._history.exchanges, Exchange((message,)))
        self._history = replace(self._history, exchanges=exchanges)

    def shrink(self) -> bool:
        """Makes do with half the context; False when there is nothing left to shorten."""
        self._most = min(self._room(self.empty()), self._history.tokens) // 2
        return self._most > SMALLEST_CONTEXT

    def show(self, results: Sequence[tuple[ToolCall, Observation]]) -> None:
        """Tells the model what came of its actions, in the way in which it acted."""
        *before, last = self._history.exchanges
        reply = last.messages[0]
        if isinstance(reply, AssistantMessage) and reply.tool_calls:
            shown: list[Message] = [ToolMessage(tool_call_id=call.id, content=seen.text) for call, seen in results]
        else:
            shown = [UserMessage(content="\n\n".join(f"Result of {call.name}:\n{seen.text}" for call, seen in results))]
        exchanges = (*before, last.and_then(*shown).done(results))
        self._history = replace(self._history, exchanges=exchanges)

    def correct(self, problem: ReplyProblem) -> str:
        """Tells the model why its reply held no action, and how one looks; returns what it is told."""
        target = self._assignment.targets[0] if self._assignment.targets else ""
        told = no_action(problem, self.native, self._output_tokens, target)
        self.nudge(told)
        return told

    def nudge(self, text: str) -> None:
        """Says something to the model between its steps."""
        self._history = self._history.said(UserMessage(content=text))


def _rambles(problem: ReplyProblem, said: str) -> bool:
    """Whether a reply that was cut off would have said no more at any length."""
    return problem is ReplyProblem.REPETITION or (problem is ReplyProblem.CUT_OFF and bool(said) and "```" not in said)
