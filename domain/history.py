"""A conversation in good order, however it came about: what every model's server wants of it, and what some do."""

import hashlib
import operator
import re
from collections.abc import Iterable, Iterator, Sequence

from domain.base import Value
from domain.chat import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from domain.sendable import is_object, sendable_name
from domain.text import well_formed

BEGIN = UserMessage(content="Begin.")
GO_ON = UserMessage(content="Go on.")
SEEN = AssistantMessage(content="I have seen the results.")
SHOWN = "(an image)"
NO_OUTPUT = "(no output)"
UNANSWERED = "(This call has no result: it was interrupted before it ended.)"


class Rules(Value):
    """What a provider accepts, besides what all of them want.

    ``call_id``: the form of a call's id. ``repeats``: a role may speak twice in a row. ``user_after_tool``: a user may
    follow a result. ``assistant_last``: the model may have said the last word.
    """

    call_id: re.Pattern[str] = re.compile(r"[A-Za-z0-9_-]{1,40}")
    repeats: bool = True
    user_after_tool: bool = True
    assistant_last: bool = True


def sanitise(messages: tuple[Message, ...], rules: Rules) -> tuple[Message, ...]:
    """The conversation by the rules; the same object where nothing had to change.

    A system prompt comes first, then a user; each call has one result right after it, and each result its call; ids
    are unique. A result that nobody asked for is dropped, and a call without one gets one that says so.
    """
    cleaned = [message for message in map(_clean, messages) if message is not None]
    prompts = [message for message in cleaned if isinstance(message, SystemMessage)]
    if len(prompts) > 1:
        prompts = [SystemMessage(content="\n\n".join(prompt.content for prompt in prompts))]
    spoken = [message for message in cleaned if not isinstance(message, SystemMessage)]
    made = (*prompts, *_arranged(_answered(spoken, rules), rules))
    same = len(made) == len(messages) and all(map(operator.is_, made, messages))
    return messages if same else made


def _clean(message: Message) -> Message | None:
    """The message with text that can be sent; None for one that says nothing."""
    content = well_formed(message.content).replace("\0", "")
    if isinstance(message, AssistantMessage) and message.tool_calls:
        calls = tuple(map(_clean_call, message.tool_calls))
        same = content == message.content and all(map(operator.is_, calls, message.tool_calls))
        return message if same else AssistantMessage(content=content, tool_calls=calls)
    if not content or content.isspace():
        if isinstance(message, ToolMessage):
            content = NO_OUTPUT
        elif isinstance(message, UserMessage) and message.images:
            content = SHOWN
        else:
            return None
    return message if content == message.content else message.model_copy(update={"content": content})


def _clean_call(call: ToolCall) -> ToolCall:
    if call.sendable:
        return call
    return ToolCall(
        id=call.id, name=sendable_name(call.name), arguments=call.arguments if is_object(call.arguments) else "{}"
    )


def _answered(messages: Iterable[Message], rules: Rules) -> Iterator[Message]:
    """The messages with each call's result right after it, all under ids that are valid and unique."""
    turns: list[tuple[Message, list[ToolMessage | None]]] = []
    waiting: dict[str, list[tuple[list[ToolMessage | None], int]]] = {}
    for message in messages:
        if isinstance(message, ToolMessage):
            if places := waiting.get(message.tool_call_id):
                results, at = places.pop()
                results[at] = message
            continue
        calls = message.tool_calls if isinstance(message, AssistantMessage) else ()
        results = [None] * len(calls)
        turns.append((message, results))
        # A result belongs to the newest message that waits for one of that id, and there to the first such call.
        for at in reversed(range(len(calls))):
            waiting.setdefault(calls[at].id, []).append((results, at))
    used: set[str] = set()
    for message, results in turns:
        if isinstance(message, AssistantMessage) and results:
            ids = [_unique(call.id, used, rules) for call in message.tool_calls]
            yield _renamed(message, ids)
            yield from map(_result, results, ids)
        else:
            yield message


def _unique(wanted: str, used: set[str], rules: Rules) -> str:
    made, salt = wanted, len(used)
    while made in used or not rules.call_id.fullmatch(made):
        # Nine hexadecimal digits are an id that every provider takes.
        made = hashlib.sha256(f"{salt} {wanted}".encode("utf-8", "surrogatepass")).hexdigest()[:9]
        salt += 1
    used.add(made)
    return made


def _renamed(message: AssistantMessage, ids: Sequence[str]) -> AssistantMessage:
    if [call.id for call in message.tool_calls] == ids:
        return message
    calls = (call.model_copy(update={"id": made}) for call, made in zip(message.tool_calls, ids, strict=True))
    return message.model_copy(update={"tool_calls": tuple(calls)})


def _result(result: ToolMessage | None, call_id: str) -> ToolMessage:
    if result is None:
        return ToolMessage(tool_call_id=call_id, content=UNANSWERED)
    return result if result.tool_call_id == call_id else result.model_copy(update={"tool_call_id": call_id})


def _arranged(messages: Iterable[Message], rules: Rules) -> list[Message]:
    """The messages with their roles in an order that the provider accepts."""
    made: list[Message] = []
    for message in messages:
        last = made[-1] if made else None
        if last is None and not isinstance(message, UserMessage):
            made.append(BEGIN)
        elif isinstance(last, ToolMessage) and isinstance(message, UserMessage) and not rules.user_after_tool:
            made.append(SEEN)
        if last is not None and not rules.repeats and (merged := _merged(last, message)):
            made[-1] = merged
        else:
            made.append(message)
    if made and isinstance(made[-1], AssistantMessage) and not rules.assistant_last:
        made.append(GO_ON)
    return made or [BEGIN]


def _merged(first: Message, second: Message) -> Message | None:
    """Both in one message, where they are of one role and no results."""
    match first, second:
        case UserMessage(), UserMessage():
            return UserMessage(content=f"{first.content}\n\n{second.content}", images=first.images + second.images)
        case AssistantMessage(), AssistantMessage():
            content = f"{first.content}\n\n{second.content}" if second.content else first.content
            return AssistantMessage(content=content, tool_calls=second.tool_calls)
        case _:
            return None
