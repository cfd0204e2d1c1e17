"""A call as a model made it, put into a form in which its tool can be called."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.chat import ToolCall
from domain.replies import ReplyProblem
from specialists.arguments import MalformedArguments, read_arguments
from specialists.correction import broken_call
from specialists.reading.action import Action
from specialists.reading.known_tools import KnownTools

CUT_OFF = "the reply was cut off at its limit in the middle of the arguments; write less at a time"


@dataclass(frozen=True)
class Prepared:
    """A call with its arguments, and what had to be repaired for it."""

    call: ToolCall
    arguments: dict[str, Any]
    repair: str = ""


def ours(call_id: str, tool: str, arguments: dict[str, Any]) -> Prepared:
    """A call that no model asked for."""
    return Prepared(ToolCall(id=call_id, name=tool, arguments=json.dumps(arguments)), arguments)


@dataclass(frozen=True)
class Unusable:
    """A call whose arguments cannot be read, and what the model is told about it."""

    call: ToolCall
    problem: ReplyProblem
    told: str


def prepare(
    action: Action, tools: KnownTools, example: Callable[[str], str | None], cut_off: bool
) -> Prepared | Unusable:
    """The call under its tool's real name, with its arguments repaired where that guesses nothing.

    Arguments that are no JSON, in a reply that was ``cut_off`` at its limit, lack their end: they are not repaired.
    ``example`` gives valid arguments of a tool.
    """
    name = tools.resolve(action.call.name)
    call = action.call.model_copy(update={"name": name})
    try:
        read = read_arguments(call.arguments)
    except MalformedArguments as error:
        problem = ReplyProblem.CUT_OFF if cut_off else ReplyProblem.ARGUMENTS_NOT_JSON
        return Unusable(call, problem, broken_call(name, CUT_OFF if cut_off else str(error), example(name)))
    if read.repaired and cut_off:
        return Unusable(call, ReplyProblem.CUT_OFF, broken_call(name, CUT_OFF, example(name)))
    repairs = [
        *([action.repair] if action.repair else []),
        *(["arguments that were no JSON"] if read.repaired else []),
        *([f"the name {action.call.name!r}"] if name != action.call.name else []),
    ]
    return Prepared(call, read.value, ", ".join(repairs))
