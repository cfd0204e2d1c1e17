"""Roles: what makes one specialist differ from another, as data files."""

from pydantic import Field

from domain.base import Value
from mcp_server.caller import Permission
from specialists.assignment import MOST_CONTEXT_TOKENS
from specialists.standing import HandsOver
from specialists.stuck import StuckLimits


class Preference(Value):
    """Which model a role would have: a ``route`` of its own, where a person names none for it, and one that is
    ``stronger_by`` some levels than the work asks for, or weaker where that is below zero."""

    route: str = ""
    stronger_by: int = Field(default=0, ge=-4, le=4)

    def difficulty(self, given: int) -> int:
        """The strength that its model should have, from 1 to 5."""
        return min(5, max(1, given + self.stronger_by))


class Role(Value):
    """A role's prompt, permissions, path rules and limits. Patterns are those of ``mcp_server.protection``, and the
    placeholders of the prompt those of ``specialists.prompt``.

    ``hands_over`` is what it makes, by which its runs of the tests are judged; ``stuck`` is when it counts as stuck.
    ``max_malformed`` replies in a row may hold no action, and as many once more in plain text. ``max_tokens`` is what a
    subtask may use in all, ``context_tokens`` what one request may, with the answer.
    """

    name: str
    description: str
    prompt: str = Field(min_length=1)
    permissions: frozenset[Permission]
    protected: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    hands_over: HandsOver = HandsOver.CODE
    model: Preference = Preference()
    stuck: StuckLimits = StuckLimits()
    max_steps: int = Field(gt=0)
    max_malformed: int = Field(default=3, gt=0)
    max_tokens: int | None = Field(default=None, gt=0)
    max_output_tokens: int = Field(gt=0)
    context_tokens: int = Field(default=MOST_CONTEXT_TOKENS, gt=0)
