"""How a task is gone about, as it is typed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.settings import Settings
from domain.errors import UsageError
from domain.plan import Plan
from domain.strategy import Planning, Strategy
from domain.task_kind import TaskKind

MOST_PLAN_BYTES = 256 * 1024
MOST_SAMPLES = 32


def strategy_of(typed: Mapping[str, Any], settings: Settings) -> Strategy:
    """The strategy that the options say, by their names. UsageError tells which one is wrong."""
    samples, kind, plan = typed["samples"], typed["kind"], typed["plan"]
    if not 1 <= samples <= MOST_SAMPLES:
        raise UsageError(f"--samples takes 1 to {MOST_SAMPLES}.")
    models = dict(map(_role_model, typed["role_model"] or ()))
    try:
        return Strategy(
            kind=None if kind is None else TaskKind(kind),
            planning=Planning(typed["planning"]),
            plan=None if plan is None else read_plan_file(plan, settings),
            approve_plan=typed["approve_plan"],
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


def read_plan_file(path: Path, settings: Settings) -> Plan:
    """The plan in a JSON file. UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_PLAN_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Name a file that holds a plan.") from error
    if len(data) > MOST_PLAN_BYTES:
        raise UsageError(f"{path} is larger than any plan. Name a file that holds a plan.")
    # Only whoever gives a plan waits until all that plans is loaded.
    from director.planning.plan_approval import read_edited
    from specialists.role_files import read_roles

    try:
        return read_edited(data.decode(), read_roles(settings.role_folders))
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8. Name a file that holds a plan.") from None
