"""What was spent, added up."""

from datetime import date
from enum import StrEnum

from domain.base import Value
from domain.money import FREE, NanoUsd


class CostGrouping(StrEnum):
    """What the attempts of one line have in common. Days are those of UTC."""

    MODEL = "model"
    TASK = "task"
    DAY = "day"
    SPECIALIST = "specialist"
    PROVIDER = "provider"
    USER = "user"
    PURPOSE = "purpose"


class CostQuery(Value):
    """Which attempts to add up: from the first to the last day in UTC, both included, and of which task."""

    by: CostGrouping
    since: date | None = None
    until: date | None = None
    task_id: str | None = None


class CostLine(Value):
    """What a group's attempts used and cost. ``key`` is the group's name, such as ``openai/gpt-5-mini``.

    ``cost`` is the sum of those whose price is known; ``unpriced`` counts the others. ``failed`` ones ended with an
    error or with their process. ``estimated`` ones are those whose provider did not tell what they used. ``hits`` are
    no attempts: they were answered from the response cache.
    """

    key: str
    attempts: int = 0
    hits: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: NanoUsd = FREE
    unpriced: int = 0
    estimated: int = 0
