"""What was said from one reply of a model to its next one, and what is left of it when room is short."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from domain.chat import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from domain.test_outcome import TestOutcome
from domain.text import excerpt, one_line
from domain.tokens import estimate_messages
from mcp_server.client import Observation
from specialists.arguments import MalformedArguments, parse_arguments

LINE_CHARACTERS = 160
NAMED_FIRST = ("path", "command", "pattern", "selection")
SHOWN_TESTS = 20


@dataclass(frozen=True)
class Exchange:
    """A reply, the results of its calls, and what the user said besides: never one without the other.

    ``lines`` tell in a line for each call what was called and what came of it, ``touched`` are the paths that were
    changed, ``tests`` is how the tests ended, where they were run. ``most`` is the number of characters that its texts
    were cut to; None for one that is whole.
    """

    messages: tuple[Message, ...]
    lines: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()
    tests: TestOutcome | None = None
    most: int | None = None

    @cached_property
    def tokens(self) -> int:
        """About how many tokens it takes."""
        return estimate_messages(self.messages)

    def and_then(self, *messages: Message) -> "Exchange":
        """The exchange with more that was said in it."""
        return replace(self, messages=(*self.messages, *messages), most=None)

    def done(self, results: Sequence[tuple[ToolCall, Observation]]) -> "Exchange":
        """The exchange with what its calls did."""
        return replace(
            self,
            lines=tuple(_line(call, observation) for call, observation in results),
            touched=tuple(dict.fromkeys(path for _, observation in results for path in observation.changed)),
            tests=next((seen.tests for _, seen in reversed(results) if seen.tests is not None), None),
        )

    def cut(self, most: int) -> "Exchange":
        """The exchange with each of its texts cut to ``most`` characters, and which tests failed."""
        if self.most is not None and self.most <= most:
            return self
        made = [_cut(message, most) for message in self.messages]
        if made == list(self.messages):
            return self
        if self.tests is not None and self.tests.failing:
            last = made[-1]
            note = f"\n[{describe_tests(self.tests, SHOWN_TESTS if most > LINE_CHARACTERS else 1)}]"
            made[-1] = last.model_copy(update={"content": last.content + note})
        return replace(self, messages=tuple(made), most=most)


def describe_tests(tests: TestOutcome, most: int = SHOWN_TESTS) -> str:
    """How the tests ended, with the names of those that failed."""
    more = " ..." if tests.failed > most else ""
    failing = f"; failing: {', '.join(tests.failing[:most])}{more}" if tests.failing else ""
    return f"{tests}{failing}"


def _line(call: ToolCall, observation: Observation) -> str:
    try:
        arguments = parse_arguments(call.arguments)
    except MalformedArguments:
        arguments = {}
    about = next((arguments[name] for name in NAMED_FIRST if arguments.get(name)), "")
    came = str(observation.tests) if observation.tests is not None else observation.text.strip().split("\n", 1)[0]
    failed = "" if observation.ok or observation.tests is not None else "failed: "
    return one_line(f"{call.name} {one_line(str(about), LINE_CHARACTERS // 2)}: {failed}{came}", LINE_CHARACTERS)


def _cut(message: Message, most: int) -> Message:
    match message:
        case AssistantMessage(tool_calls=calls):
            cut = tuple(call.model_copy(update={"arguments": _cut_arguments(call.arguments, most)}) for call in calls)
            return AssistantMessage(content=excerpt(message.content, most), tool_calls=cut)
        case UserMessage():
            return UserMessage(content=excerpt(message.content, most))
        case ToolMessage():
            return message.model_copy(update={"content": excerpt(message.content, most)})
        case SystemMessage():
            return message


def _cut_arguments(arguments: str, most: int) -> str:
    """The arguments as a JSON object, with long texts cut; those that are long in another way are left out."""
    if len(arguments) <= most:
        return arguments
    try:
        given = parse_arguments(arguments)
    except MalformedArguments:
        return "{}"
    cut = {name: excerpt(value, most // 2) if isinstance(value, str) else value for name, value in given.items()}
    made = json.dumps(cut, ensure_ascii=False)
    return made if len(made) <= max(most * 3, LINE_CHARACTERS) else "{}"
