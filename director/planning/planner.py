"""Turning a request into a plan."""

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
    text = resources.files("director.planning").joinpath("planner.md").read_text(encoding="utf-8")
    roles = "; ".join(f'"{role.name}": {role.description}' for role in load_roles().values())
    kinds = ", ".join(f'"{kind}"' for kind in TaskKind)
    return text.replace("{roles}", roles).replace("{kinds}", kinds)


@cache
def plan_schema() -> dict[str, JsonValue]:
    """The JSON Schema of a plan as a model gives it: its thoughts first, which are no part of the plan."""
    schema: dict[str, JsonValue] = Plan.model_json_schema()
    properties = schema["properties"]
    assert isinstance(properties, dict)
    asked = {key: part for key, part in properties.items() if key not in {"language", "framework"}}
    return {**schema, "properties": {"thoughts": {"type": "string"}, **asked}}


async def make_plan(gateway: Gateway, spec: TaskSpec, scope: str, files: FileTree, background: str = "") -> Planned:
    """The person's plan, or ours where the task is small, or else a model's.

    A model that answers with garbage, twice, gets a one-node plan of ours instead.

    ``background`` is what is known of the project. It goes before the request: model servers keep what they made of
    the part that requests have in common.
    """
    if (plan := spec.strategy.plan or small_plan(spec, files)) is not None:
        return Planned(plan=plan)
    known = [UserMessage(content=background)] if background else []
    question = UserMessage(content=_question(spec, sorted(files)))
    opening: list[Message] = [SystemMessage(content=prompt()), *known, question]
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
                return Planned(plan=one_node(spec, files), calls=tuple(calls), fallback=str(error))
            # Not every server takes a schema; the prompt says the same in words.
            schema, problem = None, str(error)
            continue
        calls.append(completion)
        content = completion.reply.message.content
        try:
            plan = with_code(settled(read_plan(content), spec, files), spec)
            return Planned(plan=plan, calls=tuple(calls))
        except ValueError as error:
            problem = str(error)
            messages = [
                *opening,
                UserMessage(content=f"That was no valid plan: {problem[:500]}\nReply with the JSON only."),
            ]
    return Planned(
        plan=one_node(spec, files), calls=tuple(calls), fallback=f"the model gave no valid plan: {problem[:300]}"
    )


def _question(spec: TaskSpec, files: list[str]) -> str:
    listing = "\n".join(files[:LISTED_FILES]) or "(none: this is a new project)"
    more = f"\n... and {len(files) - LISTED_FILES} more" if len(files) > LISTED_FILES else ""
    tests = ""
    if spec.protected_paths or spec.test_command:
        given = ", ".join(spec.protected_paths) or spec.test_command
        tests = f"\n\nTests are there already ({given}). Plan no test subtask."
    return f"Request:\n{spec.prompt}\n\nFiles in the workspace:\n{listing}{more}{tests}"
