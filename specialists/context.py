"""Keeping a conversation within a model's context.

Providers keep what they made of a prompt's beginning, so it stays as it is for as long as it can: nothing is cut before
the room is used up, and then much at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from domain.chat import Message, UserMessage
from domain.text import excerpt
from domain.tokens import bytes_within, estimate_messages
from specialists.digest import NONE, Digest
from specialists.exchange import Exchange

WHOLE = 4
"""As many of the newest exchanges are cut only when nothing else is left to be, where half of the room holds them."""
MASKED = 200
"""The characters that are left of an old text."""
LEAST_FREED = 0.1
"""The part of the conversation that a rung must free, or the next one is taken as well."""
FILLED = 0.6
"""The part of the room that is filled after old exchanges were left out."""
MOST_IN_A_ROW = 3
"""The requests in a row before each of which something may be cut; before the next one all is that can be."""
DIGEST_SHARE = 6
SHORT = (2_000, MASKED, 40)
LEAST_GOAL = 200


@dataclass(frozen=True)
class History:
    """The ``opening``: the role, what is known of the project where that is told, and the goal; a digest of exchanges
    that are left out; and the other ones."""

    opening: tuple[Message, ...]
    digest: Digest = NONE
    exchanges: tuple[Exchange, ...] = ()
    digest_tokens: int = 0

    @cached_property
    def _head(self) -> tuple[Message, ...]:
        told = (UserMessage(content=self.digest.text(self.digest_tokens)),) if self.digest else ()
        return (*self.opening, *told)

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """All that is sent."""
        return (*self._head, *(message for exchange in self.exchanges for message in exchange.messages))

    @cached_property
    def tokens(self) -> int:
        """About how many tokens that is."""
        return estimate_messages(self._head) + sum(exchange.tokens for exchange in self.exchanges)

    def said(self, *messages: Message) -> "History":
        """The history with more that was said after the model's last reply."""
        last = self.exchanges[-1] if self.exchanges else Exchange(())
        return replace(self, exchanges=(*self.exchanges[:-1], last.and_then(*messages)))


def fit(history: History, tokens: int, hard: bool = False) -> History:
    """The history, cut until it is about ``tokens``, where that is possible at all; the same where it is within them.

    One rung after the other: old texts are masked, old exchanges left out for a digest, then the newest ones cut, what
    is known of the project, and last the goal. The role is never cut, and a call never parted from its result. With
    ``hard``, all but the last exchange is left out at once.
    """
    if history.tokens <= tokens:
        return history
    history = replace(history, digest_tokens=tokens // DIGEST_SHARE)
    if hard:
        history = _left_out(history, 1, 0)
    else:
        whole = _whole(history, tokens)
        masked = _masked(history, whole)
        if masked.tokens <= tokens and masked.tokens <= history.tokens * (1 - LEAST_FREED):
            return masked
        history = _left_out(masked, whole, int(tokens * FILLED))
    for rung in LAST_RUNGS:
        if history.tokens <= tokens:
            break
        history = rung(history, tokens)
    return history


def _whole(history: History, tokens: int) -> int:
    """How many of the newest exchanges stay as they are: at least the last one."""
    count, left = 0, tokens // 2
    for exchange in reversed(history.exchanges[-WHOLE:]):
        left -= exchange.tokens
        if left < 0:
            break
        count += 1
    return max(1, count)


def _masked(history: History, whole: int) -> History:
    old, new = history.exchanges[:-whole], history.exchanges[-whole:]
    return replace(history, exchanges=(*(exchange.cut(MASKED) for exchange in old), *new))


def _left_out(history: History, whole: int, tokens: int) -> History:
    """The history without its oldest exchanges, until it is ``tokens`` or only ``whole`` ones are left."""
    left, count = history.tokens, 0
    while left > tokens and count < len(history.exchanges) - whole:
        left -= history.exchanges[count].tokens
        count += 1
    if not count:
        return history
    digest = history.digest.plus(history.exchanges[:count])
    return replace(history, digest=digest, exchanges=history.exchanges[count:])


def _cut_newest(history: History, tokens: int) -> History:
    """All but the last exchange are masked, and left out where that is not enough; then the last one is cut."""
    masked = tuple(exchange.cut(MASKED) for exchange in history.exchanges[:-1])
    history = _left_out(replace(history, exchanges=(*masked, *history.exchanges[-1:])), 1, tokens)
    for most in SHORT:
        if history.tokens > tokens and history.exchanges:
            last = history.exchanges[-1].cut(most)
            history = replace(history, exchanges=(*history.exchanges[:-1], last))
    return history


def _cut_project(history: History, _tokens: int) -> History:
    role, *known, goal = history.opening
    short = (message.model_copy(update={"content": excerpt(message.content, MASKED)}) for message in known)
    return replace(history, opening=(role, *short, goal))


def _cut_digest(history: History, _tokens: int) -> History:
    return replace(history, digest_tokens=0)


def _cut_goal(history: History, tokens: int) -> History:
    *before, goal = history.opening
    room = bytes_within(tokens - history.tokens + estimate_messages([goal]))
    # Not every character is one byte.
    most = max(LEAST_GOAL, room * len(goal.content) // max(1, len(goal.content.encode("utf-8", "replace"))) - 60)
    return replace(history, opening=(*before, goal.model_copy(update={"content": excerpt(goal.content, most)})))


LAST_RUNGS: tuple[Callable[[History, int], History], ...] = (_cut_project, _cut_newest, _cut_digest, _cut_goal)
