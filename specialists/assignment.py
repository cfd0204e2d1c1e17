"""What a specialist is given."""

from datetime import datetime

from pydantic import Field

from domain.base import Value
from domain.plan import Subtask
from domain.task import LOCAL_OWNER
from specialists.draft_terms import DraftTerms

MOST_CONTEXT_TOKENS = 60_000
"""What a conversation may take of any model: in a longer one models overlook things, and every step costs it again."""


class Assignment(Value):
    """A subtask with all that its specialist needs to know.

    ``brief`` is the goal in full, with files and failures; ``background`` is what is known of the project besides, and
    may be nothing; ``targets`` are the files that the plan says will hold the work. ``deadline`` is UTC. ``scope``
    bears the cost. ``difficulty`` is the strength that the model should have, from 1 to 5, and ``temperature`` how far
    it may stray, None for its usual one. ``cacheable`` calls may be answered with the replies to equal ones. ``key``
    names this piece of work in events and journal. ``language`` is one of ``sandbox.languages``. ``context_tokens`` is
    what the conversation may take, with its tools and the answer. ``draft`` names the file that is asked for as a whole
    before the work with tools begins, where that may do.
    """

    task_id: str
    owner: str = LOCAL_OWNER
    subtask: Subtask
    key: str
    model: str
    brief: str
    background: str = ""
    targets: tuple[str, ...] = ()
    scope: str
    difficulty: int = Field(default=3, ge=1, le=5)
    cacheable: bool = False
    temperature: float | None = None
    max_steps: int | None = None
    deadline: datetime
    language: str = "python"
    context_tokens: int = MOST_CONTEXT_TOKENS
    draft: DraftTerms | None = None
