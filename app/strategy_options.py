"""How a task is gone about, as it is typed."""

from pathlib import Path

from pydantic import ValidationError

from director.planning.plan_approval import read_edited
from domain.errors import UsageError
from domain.plan import Plan
from domain.strategy import Planning, Strategy
from domain.task_kind import TaskKind

MOST_PLAN_BYTES = 256 * 1024
MOST_SAMPLES = 32


def strategy_of(
    plan: Path | None, approve_plan: bool, planning: str, kind: str | None, samples: int, role_models: list[str] | None
) -> Strategy:
    """The strategy. UsageError says which option is wrong; ``role_models`` are ``ROLE=ROUTE``."""
    if not 1 <= samples <= MOST_SAMPLES:
        raise UsageError(f"--samples takes 1 to {MOST_SAMPLES}.")
    models = dict(map(_role_model, role_models or ()))
    try:
        return Strategy(
            kind=None if kind is None else TaskKind(kind),
            planning=Planning(planning),
            plan=None if plan is None else read_plan_file(plan),
            approve_plan=approve_plan,
            models=models,
            samples=samples,
        )
    except ValidationError as error:
        raise UsageError(f"That is no way to go about a task: {error.errors()[0]['msg']}.") from error


def _role_model(text: str) -> tuple[str, str]:
    role, equals, route = text.partition("=")
    if not (role.strip() and equals and route.strip()):
        raise UsageError(f"--role-model takes ROLE=MODEL, for example review=openai/gpt-5. This is none: {text[:80]!r}")
    return role.strip(), route.strip()


def read_plan_file(path: Path) -> Plan:
    """The plan in a JSON file. UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_PLAN_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Name a file that holds a plan.") from error
    if len(data) > MOST_PLAN_BYTES:
        raise UsageError(f"{path} is larger than any plan. Name a file that holds a plan.")
    try:
        return read_edited(data.decode())
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8. Name a file that holds a plan.") from None
