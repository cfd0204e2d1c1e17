"""What a reply asks for."""

import json
from collections.abc import Mapping
from typing import Any

from domain.base import Value
from domain.chat import ToolCall
from domain.replies import ReplyProblem


class Action(Value):
    """A call that a reply asks for. ``repair`` says what had to be put right in order to read it, if anything."""

    call: ToolCall
    repair: str = ""


class Reading(Value):
    """The actions in a reply, or else what is wrong with it. ``said`` is the reply without its thoughts."""

    actions: tuple[Action, ...] = ()
    problem: ReplyProblem | None = None
    said: str = ""


class Doubtful(Exception):
    """What a reply means is open to doubt; to act on it could destroy something."""

    def __init__(self, problem: ReplyProblem) -> None:
        super().__init__(problem)
        self.problem = problem


def action(name: str, arguments: Mapping[str, Any], repair: str = "") -> Action:
    """The call of a tool with these arguments; its id is given later."""
    return Action(call=ToolCall(id="", name=name, arguments=json.dumps(arguments)), repair=repair)
