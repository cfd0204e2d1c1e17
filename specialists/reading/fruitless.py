"""What is wrong with a reply in which there is nothing to be done."""

import re

from domain.chat import FinishReason, ModelReply
from domain.replies import ReplyProblem

LEAST_REPEATED = 400
LONGEST_UNIT = 100
REFUSAL_CHARACTERS = 600
REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:sorry|unable|not able)|i (?:can(?:no|['’])t|cannot|can not|won['’]t|will not) "
    r"(?:help|assist|do|comply|continue|fulfil|provide|create|write|complete|support)|i must (?:decline|refuse))\b",
    re.IGNORECASE,
)


def why_fruitless(reply: ModelReply, said: str, problem: ReplyProblem | None) -> ReplyProblem:
    """The problem of a reply without an action; ``said`` is its text without thoughts, ``problem`` what was found.

    Told apart: nothing at all, nothing but thoughts, the same again and again, and a refusal of the work.
    """
    if reply.finish_reason is FinishReason.CONTENT_FILTER:
        return ReplyProblem.REFUSED
    if not reply.message.content.strip():
        return ReplyProblem.ONLY_THOUGHT if reply.reasoning.strip() else ReplyProblem.EMPTY
    if goes_on_and_on(reply.message.content):
        return ReplyProblem.REPETITION
    if problem in {None, ReplyProblem.NO_ACTION} and len(said) <= REFUSAL_CHARACTERS and REFUSAL.search(said):
        return ReplyProblem.REFUSED
    return problem or ReplyProblem.NO_ACTION


def goes_on_and_on(text: str) -> bool:
    """Whether a text ends with a few words, or one, again and again."""
    tail = text[-LEAST_REPEATED - LONGEST_UNIT :]
    if len(tail) < LEAST_REPEATED:
        return False
    tail = tail[-LEAST_REPEATED:]
    return any(tail[unit:] == tail[:-unit] for unit in range(1, LONGEST_UNIT + 1))
