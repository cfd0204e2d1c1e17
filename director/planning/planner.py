"""Turning a request into a plan."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from pydantic import JsonValue

from director.difficulty import PLANNING
from director.planning.plan_reading import read_plan, settled, with_code
from director.planning.small_plan import one_node, small_plan
from domain.base import Value
from domain.chat import Message, ModelRequest, SystemMessage, UserMessage
from domain.errors import ModelRequestRejected
from domain.files import FileTree
from domain.plan import Plan
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from gateway.base import Call, Completion
from gateway.gateway import Gateway
from specialists.role import Role
from specialists.role_files import load_roles

TRIES = 2
MAX_OUTPUT_TOKENS = 2048
LISTED_FILES = 200
PLANNER = "planner"


class Planned(Value):
    """A plan, the calls that it took, and why it is not the model's own where that is so."""

    plan: Plan
    calls: tuple[Completion, ...] = ()
    fallback: str = ""


def prompt(roles: Mapping[str, Role] | None = None) -> str:
    """What the planning model is told; the roles are ours where no others are given."""
    text = resources.files("director.planning").joinpath("planner.md").read_text(encoding="utf-8")
    known = load_roles() if roles is None else roles
    listed = "; ".join(f'"{role.name}": {role.description}' for role in known.values())
    kinds = ", ".join(f'"{kind}"' for kind in TaskKind)
    return text.replace("{roles}", listed).replace("{kinds}", kinds)


@cache
def plan_schema() -> dict[str, JsonValue]:
    """The JSON Schema of a plan as a model gives it: its thoughts first, which are no part of the plan."""
    schema: dict[str, JsonValue] = Plan.model_json_schema()
    properties = schema["properties"]
    assert isinstance(properties, dict)
    asked = {key: part for key, part in properties.items() if key not in {"language", "framework"}}
    return {**schema, "properties": {"thoughts": {"type": "string"}, **asked}}


class Asked(Value):
    """What came of asking a model for a plan: the plan, or else what the problem was, and the calls that it took."""

    plan: Plan | None = None
    problem: str = ""
    calls: tuple[Completion, ...] = ()


async def make_plan(
    gateway: Gateway,
    spec: TaskSpec,
    scope: str,
    files: FileTree,
    background: str = "",
    roles: Mapping[str, Role] | None = None,
) -> Planned:
    """The person's plan, or ours where the task is small, or else a model's.

    A model that answers with garbage, twice, gets a one-node plan of ours instead. ``background`` is what is known of
    the project. It goes before the request: model servers keep what they made of the part that requests have in common.
    """
    if (plan := spec.strategy.plan or small_plan(spec, files)) is not None:
        return Planned(plan=plan)
    known = [UserMessage(content=background)] if background else []
    question: list[Message] = [*known, UserMessage(content=_question(spec, sorted(files)))]
    asked = await ask_for_plan(gateway, spec, scope, question, roles)
    if asked.plan is None:
        return Planned(plan=one_node(spec, files), calls=asked.calls, fallback=asked.problem)
    return Planned(plan=with_code(settled(asked.plan, spec, files), spec), calls=asked.calls)


async def ask_for_plan(
    gateway: Gateway, spec: TaskSpec, scope: str, question: list[Message], roles: Mapping[str, Role] | None = None
) -> Asked:
    """Asks a model for a plan, and once more where its answer is none."""
    opening = messages = [SystemMessage(content=prompt(roles)), *question]
    schema: dict[str, JsonValue] | None = plan_schema()
    calls: list[Completion] = []
    problem = ""
    for _ in range(TRIES):
        request = ModelRequest(
            model=spec.strategy.models.get(PLANNER, spec.model), messages=tuple(messages), json_schema=schema,
            max_output_tokens=MAX_OUTPUT_TOKENS,
        )  # fmt: skip
        call = Call(
            request=request, task_id=spec.id, owner=spec.owner, specialist=PLANNER, purpose="plan", scope=scope,
            difficulty=PLANNING, cacheable=spec.cache,
        )  # fmt: skip
        try:
            completion = await gateway.collect(call)
        except ModelRequestRejected as error:
            if schema is None:
                return Asked(problem=str(error), calls=tuple(calls))
            # Not every server takes a schema; the prompt says the same in words.
            schema, problem = None, str(error)
            continue
        calls.append(completion)
        try:
            return Asked(plan=read_plan(completion.reply.message.content, roles), calls=tuple(calls))
        except ValueError as error:
            problem = str(error)
            told = f"That was no valid plan: {problem[:500]}\nReply with the JSON only."
            messages = [*opening, UserMessage(content=told)]
    return Asked(problem=f"the model gave no valid plan: {problem[:300]}", calls=tuple(calls))


def _question(spec: TaskSpec, files: list[str]) -> str:
    listing = "\n".join(files[:LISTED_FILES]) or "(none: this is a new project)"
    more = f"\n... and {len(files) - LISTED_FILES} more" if len(files) > LISTED_FILES else ""
    tests = ""
    if spec.protected_paths or spec.test_command:
        given = ", ".join(spec.protected_paths) or spec.test_command
        tests = f"\n\nTests are there already ({given}). Plan no test subtask."
    return f"Request:\n{spec.prompt}\n\nFiles in the workspace:\n{listing}{more}{tests}"
