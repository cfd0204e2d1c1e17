"""Planning one subtask anew after it failed."""

from director.brief import describe_failure
from director.model_calls import tell_calls
from director.planning.plan_reading import without_tests
from director.planning.planner import Asked, ask_for_plan
from director.standing import Standing
from domain.chat import UserMessage
from domain.errors import BudgetExceeded
from domain.evidence import Failure
from domain.journal import Journal
from domain.plan import Plan, Subtask
from domain.setbacks import PlanRevised
from domain.text import excerpt
from domain.workspace import MAIN_BRANCH

MOST_SUBTASKS = 4
PROMPT_CHARACTERS = 8_000
LISTED_FILES = 200


async def replan(standing: Standing, journal: Journal, plan: Plan, subtask: Subtask, failure: Failure) -> Plan | None:
    """Subtasks that take the place of one that failed, under ids of their own; None where no model gives any."""
    files = sorted(await standing.workspace.files(await standing.workspace.head(MAIN_BRANCH)))
    question = UserMessage(content=_question(standing.spec.prompt, plan, subtask, failure, files))
    spec, scope, equipment = standing.spec, f"task:{standing.spec.id}", standing.equipment
    try:
        asked = await journal.step(
            "replan", Asked, lambda: ask_for_plan(equipment.gateway, spec, scope, [question], equipment.roles)
        )
    except BudgetExceeded:
        return None
    await tell_calls(standing, f"replan:{subtask.id}", asked.calls)
    found = without_tests(asked.plan) if asked.plan is not None else None
    if found is None or len(found.subtasks) > MOST_SUBTASKS or any(node.role == "test" for node in found.subtasks):
        return None
    revised = _renamed(standing, plan, subtask, found)
    fact = PlanRevised(subtask_id=subtask.id, plan=revised, reason=excerpt(f"{failure.kind}: {failure.message}", 500))
    await standing.tell(f"replan:{subtask.id}", fact)
    return revised


def _renamed(standing: Standing, plan: Plan, subtask: Subtask, found: Plan) -> Plan:
    """The new subtasks under ids that the task does not have yet; the last ones give what the old one had to."""
    ids = {node.id: standing.new_id(f"{subtask.id[:20]}-{node.id[:14]}") for node in found.subtasks}
    needed = {need for node in found.subtasks for need in node.needs}
    nodes = tuple(
        node.model_copy(
            update={
                "id": ids[node.id],
                "needs": tuple(ids[need] for need in node.needs),
                "acceptance": node.acceptance if node.id in needed else subtask.acceptance or node.acceptance,
                "artifacts": node.artifacts if node.id in needed else (*node.artifacts, *subtask.artifacts)[:20],
            }
        )
        for node in found.subtasks
    )
    return plan.model_copy(update={"subtasks": nodes})


def _question(prompt: str, plan: Plan, subtask: Subtask, failure: Failure, files: list[str]) -> str:
    nodes = "\n".join(f"- {node.id} ({node.role}): {excerpt(node.goal, 300)}" for node in plan.subtasks)
    listing = "\n".join(files[:LISTED_FILES]) or "(none yet)"
    return (
        f"Request:\n{excerpt(prompt, PROMPT_CHARACTERS)}\n\nThe plan so far:\n{nodes}\n\n"
        f"Files in the workspace:\n{listing}\n\n"
        f"The subtask {subtask.id!r} failed. {describe_failure(failure)}\n\n"
        f"Reply with a plan of one to {MOST_SUBTASKS} subtasks that takes the place of this subtask alone, and goes "
        'about it in another way. Plan no "test" subtask.'
    )
