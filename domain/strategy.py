"""How a person wants a task to be gone about."""

from enum import StrEnum

from pydantic import Field

from domain.base import Value
from domain.plan import Plan
from domain.task_kind import TaskKind


class Planning(StrEnum):
    """Whether a model plans: where one or two subtasks will not do, in any case, or never."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Strategy(Value):
    """How a task is gone about; what is left out is decided by what the request and the files say.

    With a ``plan`` no model plans. With ``approve_plan`` a person is asked before a plan is carried out, and may change
    it. ``models`` are routes by the name of the role. ``samples`` is how many candidates may be made for a subtask
    that is hard, at the most.
    """

    kind: TaskKind | None = None
    planning: Planning = Planning.AUTO
    plan: Plan | None = None
    approve_plan: bool = False
    models: dict[str, str] = Field(default_factory=dict)
    samples: int = Field(default=4, ge=1, le=32)
