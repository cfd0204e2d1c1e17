"""Reading a plan from a model's answer, and putting right what models get wrong in it."""

import contextlib
import json
from collections.abc import Collection, Mapping

from pydantic import ValidationError

from director.planning.kinds import guess_kind
from director.planning.languages import find_frameworks, find_language
from domain.errors import UsageError
from domain.files import FileTree
from domain.plan import Acceptance, Plan, Subtask
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from specialists.arguments import MalformedArguments, parse_arguments
from specialists.role import Role
from specialists.role_files import load_roles

OPTIONAL = ("inputs", "acceptance", "share", "artifacts")
"""Fields of a subtask that are left out where a model got them wrong: they are no reason to ask again."""


def read_plan(text: str, roles: Mapping[str, Role] | None = None) -> Plan:
    """The plan in a model's answer, which may be wrapped in prose or a code fence. ValueError says what is wrong.

    Its roles are among ours where no others are given.
    """
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("there is no JSON object in the answer")
    try:
        found = parse_arguments(text[start : end + 1])
    except MalformedArguments as error:
        raise ValueError(str(error)) from error
    try:
        plan = Plan.model_validate(_trimmed(found))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise ValueError(json.dumps([[str(problem["loc"]), problem["msg"]] for problem in problems[:5]])) from error
    known = load_roles() if roles is None else roles
    if unknown := {subtask.role for subtask in plan.subtasks} - set(known):
        raise ValueError(f"there are no roles {sorted(unknown)}; use one of {sorted(known)}")
    return tests_first(plan)


def check_roles(plan: Plan, known: Collection[str]) -> None:
    """UsageError where a plan, of a person, has subtasks of roles that there are not."""
    if unknown := sorted({subtask.role for subtask in plan.subtasks} - set(known)):
        raise UsageError(f"The plan has no such roles: {', '.join(unknown)}. Use {', '.join(sorted(known))}.")


def settled(plan: Plan, spec: TaskSpec, files: FileTree) -> Plan:
    """The plan with its kind, language and framework as the request and the files tell them.

    The kind decides what counts as evidence. So a model's word is taken only where the request leaves it open.
    """
    guess = guess_kind(spec.prompt, bool(files))
    kind = spec.strategy.kind or (guess.kind if guess.sure else plan.kind)
    language = find_language(spec.prompt, files)
    framework = next(iter(find_frameworks(files, language)), plan.framework)
    return plan.model_copy(update={"kind": kind, "language": language.name, "framework": framework})


def with_code(plan: Plan, spec: TaskSpec) -> Plan:
    """The plan with a subtask that writes the code, where the model planned nothing but tests for it."""
    if plan.kind in {TaskKind.ADD_TESTS, TaskKind.QUESTION} or any(node.role != "test" for node in plan.subtasks):
        return plan
    ids = tuple(node.id for node in plan.subtasks)
    code = Subtask(id="code" if "code" not in ids else "write-code", role="code", goal=spec.prompt[:4000], needs=ids)
    return plan.model_copy(update={"subtasks": (*plan.subtasks, code)})


def tests_first(plan: Plan) -> Plan:
    """The plan with every other subtask needing the test subtasks, where that makes no circle: tests come first."""
    ordered = plan
    for test in (subtask.id for subtask in plan.subtasks if subtask.role == "test"):
        for other in (subtask for subtask in ordered.subtasks if subtask.role != "test" and test not in subtask.needs):
            needing = other.model_copy(update={"needs": (*other.needs, test)})
            nodes = tuple(needing if node.id == other.id else node for node in ordered.subtasks)
            with contextlib.suppress(ValidationError):
                ordered = Plan.model_validate({**dict(ordered), "subtasks": nodes})
    return ordered


def _trimmed(found: dict[str, object]) -> dict[str, object]:
    """The answer without fields that no plan has: thoughts and remarks are kept apart from the plan.

    Language and framework are ours to find.
    """
    plan = {key: value for key, value in found.items() if key in {"kind", "subtasks", "files"}}
    subtasks = plan.get("subtasks")
    if isinstance(subtasks, list):
        plan["subtasks"] = [_trimmed_subtask(subtask) if isinstance(subtask, dict) else subtask for subtask in subtasks]
    return plan


def _trimmed_subtask(found: dict[str, object]) -> dict[str, object]:
    subtask = {key: value for key, value in found.items() if key in Subtask.model_fields and value is not None}
    if isinstance(said := subtask.get("acceptance"), dict):
        subtask["acceptance"] = {key: value for key, value in said.items() if key in Acceptance.model_fields}
    for name in OPTIONAL:
        if name in subtask:
            try:
                Subtask.model_validate({"id": "a", "role": "code", "goal": "a", name: subtask[name]})
            except ValidationError:
                del subtask[name]
    return subtask


def without_tests(plan: Plan) -> Plan:
    """The plan less its test subtasks, for a task whose tests the user gave; the plan as it is when nothing remains."""
    kept = [subtask for subtask in plan.subtasks if subtask.role != "test"]
    if not kept:
        return plan
    ids = {subtask.id for subtask in kept}
    trimmed = [
        subtask.model_copy(update={"needs": tuple(need for need in subtask.needs if need in ids)}) for subtask in kept
    ]
    return plan.model_copy(update={"subtasks": tuple(trimmed)})
