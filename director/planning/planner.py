"""Turning a request into a plan."""

import contextlib
import json
from functools import cache
from importlib import resources

from pydantic import JsonValue, ValidationError

from director.difficulty import PLANNING
from domain.base import Value
from domain.chat import Message, ModelRequest, SystemMessage, UserMessage
from domain.errors import ModelRequestRejected
from domain.plan import Plan, Subtask
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from gateway.base import Call, Completion
from gateway.gateway import Gateway
from specialists.arguments import MalformedArguments, parse_arguments
from specialists.role import load_roles

TRIES = 2
MAX_OUTPUT_TOKENS = 2048
LISTED_FILES = 200


class Planned(Value):
    """A plan, the calls that it took, and why it is not the model's own where that is so."""

    plan: Plan
    calls: tuple[Completion, ...] = ()
    fallback: str = ""


@cache
def prompt() -> str:
    """What the planning model is told."""
    return resources.files("director.planning").joinpath("planner.md").read_text(encoding="utf-8")


@cache
def plan_schema() -> dict[str, JsonValue]:
    """The JSON Schema of a plan."""
    schema: dict[str, JsonValue] = Plan.model_json_schema()
    return schema


async def make_plan(gateway: Gateway, spec: TaskSpec, scope: str, files: list[str], background: str = "") -> Planned:
    """A plan for the task. A model that answers with garbage, twice, gets a one-node plan of ours instead.

    ``background`` is what is known of the project. It goes before the request: model servers keep what they made of
    the part that requests have in common.
    """
    known = [UserMessage(content=background)] if background else []
    opening: list[Message] = [SystemMessage(content=prompt()), *known, UserMessage(content=_question(spec, files))]
    messages = opening
    schema: dict[str, JsonValue] | None = plan_schema()
    calls: list[Completion] = []
    problem = ""
    for _ in range(TRIES):
        request = ModelRequest(
            model=spec.model, messages=tuple(messages), json_schema=schema, max_output_tokens=MAX_OUTPUT_TOKENS
        )
        call = Call(
            request=request, task_id=spec.id, owner=spec.owner, specialist="planner", purpose="plan", scope=scope,
            difficulty=PLANNING, cacheable=spec.cache,
        )  # fmt: skip
        try:
            completion = await gateway.collect(call)
        except ModelRequestRejected as error:
            if schema is None:
                return Planned(plan=fallback_plan(spec), calls=tuple(calls), fallback=str(error))
            # Not every server takes a schema; the prompt says the same in words.
            schema, problem = None, str(error)
            continue
        calls.append(completion)
        content = completion.reply.message.content
        try:
            return Planned(plan=with_code(read_plan(content), spec), calls=tuple(calls))
        except ValueError as error:
            problem = str(error)
            messages = [
                *opening,
                UserMessage(content=f"That was no valid plan: {problem[:500]}\nReply with the JSON only."),
            ]
    return Planned(
        plan=fallback_plan(spec), calls=tuple(calls), fallback=f"the model gave no valid plan: {problem[:300]}"
    )


def _question(spec: TaskSpec, files: list[str]) -> str:
    listing = "\n".join(files[:LISTED_FILES]) or "(none: this is a new project)"
    more = f"\n... and {len(files) - LISTED_FILES} more" if len(files) > LISTED_FILES else ""
    tests = ""
    if spec.protected_paths or spec.test_command:
        given = ", ".join(spec.protected_paths) or spec.test_command
        tests = f"\n\nTests are there already ({given}). Plan no test subtask."
    return f"Request:\n{spec.prompt}\n\nFiles in the workspace:\n{listing}{more}{tests}"


def read_plan(text: str) -> Plan:
    """The plan in a model's answer, which may be wrapped in prose or a code fence. ValueError says what is wrong."""
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
    if unknown := {subtask.role for subtask in plan.subtasks} - set(load_roles()):
        raise ValueError(f"there are no roles {sorted(unknown)}; use one of {sorted(load_roles())}")
    return tests_first(plan)


def with_code(plan: Plan, spec: TaskSpec) -> Plan:
    """The plan with a subtask that writes the code, where the model planned nothing but tests for it."""
    if plan.kind in {TaskKind.ADD_TESTS, TaskKind.QUESTION} or any(node.role != "test" for node in plan.subtasks):
        return plan
    ids = tuple(node.id for node in plan.subtasks)
    code = Subtask(id="code" if "code" not in ids else "write-code", role="code", goal=spec.prompt[:4000], needs=ids)
    return Plan(kind=plan.kind, files=plan.files, subtasks=(*plan.subtasks, code))


def tests_first(plan: Plan) -> Plan:
    """The plan with every other subtask needing the test subtasks, where that makes no circle: tests come first."""
    ordered = plan
    for test in (subtask.id for subtask in plan.subtasks if subtask.role == "test"):
        for other in (subtask for subtask in ordered.subtasks if subtask.role != "test" and test not in subtask.needs):
            needing = other.model_copy(update={"needs": (*other.needs, test)})
            nodes = tuple(needing if node.id == other.id else node for node in ordered.subtasks)
            with contextlib.suppress(ValidationError):
                ordered = Plan(kind=ordered.kind, files=ordered.files, subtasks=nodes)
    return ordered


def _trimmed(found: dict[str, object]) -> dict[str, object]:
    """The answer without fields that no plan has: reasoning and remarks are kept apart from the plan."""
    plan = {key: value for key, value in found.items() if key in Plan.model_fields}
    subtasks = plan.get("subtasks")
    if isinstance(subtasks, list):
        plan["subtasks"] = [
            {key: value for key, value in subtask.items() if key in Subtask.model_fields}
            if isinstance(subtask, dict)
            else subtask
            for subtask in subtasks
        ]
    return plan


def fallback_plan(spec: TaskSpec) -> Plan:
    """One node that does it all."""
    return Plan(kind=TaskKind.NEW_CODE, subtasks=(Subtask(id="code", role="code", goal=spec.prompt[:4000]),))


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
