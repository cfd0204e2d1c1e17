"""A person looks at a plan before it is carried out, and may change it."""

from collections.abc import Collection
from datetime import datetime

from pydantic import ValidationError

from director.approval import TaskApprover
from director.planning.plan_reading import check_roles
from director.standing import Standing
from domain.approval import PLAN, ApprovalQuestion
from domain.base import Value
from domain.errors import UsageError
from domain.plan import Plan


class Approval(Value):
    """The plan as the person wants it, or None, and why."""

    plan: Plan | None
    note: str = ""


async def ask_about(standing: Standing, plan: Plan, deadline: datetime) -> Approval:
    """Puts the plan to whoever watches the task, and waits. Where nobody answers in time, that is a no."""
    patience_s = standing.equipment.patience_s
    approver = TaskApprover(standing.equipment.log, standing.journal.child("approval"), PLAN, patience_s, deadline)
    question = ApprovalQuestion(
        actor="director", task_id=standing.spec.id, tool=PLAN, summary=plan.model_dump_json(exclude_defaults=True)
    )
    answer = await approver.ask(question)
    if not answer.approved:
        return Approval(plan=None, note=answer.note)
    return Approval(plan=read_edited(answer.edited, standing.equipment.roles) if answer.edited else plan)


def check_edited(question: ApprovalQuestion, edited: str, roles: Collection[str]) -> None:
    """UsageError where what a person changed cannot be: nothing but a plan can be changed."""
    if question.tool != PLAN:
        raise UsageError("Only a plan can be changed. Approve the call as it is, or refuse it and say why.")
    read_edited(edited, roles)


def read_edited(text: str, roles: Collection[str]) -> Plan:
    """The plan in a person's JSON, for these roles. UsageError says what is wrong with it."""
    try:
        plan = Plan.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        reasons = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the plan'}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in problems[:5]
        )
        raise UsageError(f"The plan cannot be used: {reasons}. Put that right, and give it again.") from error
    check_roles(plan, roles)
    return plan
