"""When a file is asked for as a whole, before its specialist works with tools."""

from director.brief import SHOWN_CHARACTERS, describe_failure
from director.evidence.verification import Verifier
from director.order import Order
from director.planning.one_module import wants_one_module
from domain.files import FileTree
from domain.plan import Plan
from domain.task_kind import TaskKind
from specialists.draft_terms import DraftTerms

LANGUAGE = "python"
"""That of which drafts are read, so far."""


def drafts_do(plan: Plan, verifier: Verifier, prompt: str) -> bool:
    """Whether the work of a plan is one new file that tests judge, and the request speaks of nothing besides: then it
    is asked for as a whole."""
    writers = sum(subtask.role == "code" for subtask in plan.subtasks)
    fits = plan.kind is TaskKind.NEW_CODE and plan.language == LANGUAGE and len(plan.files) == writers == 1
    return fits and bool(verifier.tests) and wants_one_module(prompt)


def draft_terms(plan: Plan, order: Order, verifier: Verifier, prompt: str, tree: FileTree) -> DraftTerms | None:
    """The one new file of a plan, where tests are there that judge it, and one subtask is to write it, or to mend it.

    ``prompt`` is the task's, and ``tree`` are the files as they are.
    """
    planned = any(subtask.id == order.subtask.id for subtask in plan.subtasks)
    mends = order.failure is not None and not planned
    first = order.failure is None and order.attempt == 1 and planned
    once = order.lease == 1 and not order.reads_from and order.subtask.role == "code"
    if not (once and (first or mends) and drafts_do(plan, verifier, prompt)):
        return None
    (file,) = plan.files
    goal = order.subtask.goal
    request = prompt[:SHOWN_CHARACTERS] if mends or goal in prompt else f"{goal}\n\n{prompt[:SHOWN_CHARACTERS]}"
    present = tree.get(file.path) if mends else None
    return DraftTerms(
        path=file.path,
        request=request,
        signatures=file.signatures,
        tests=tuple(sorted(verifier.tests)),
        present=present.content.decode(errors="replace") if present is not None else "",
        failure=describe_failure(order.failure) if order.failure is not None else "",
    )
