"""Asking the person at the terminal whether a specialist may use a tool."""

import asyncio
import sys

from app.progress import Watcher
from app.settings import Settings
from app.terminal import PERSON, REFUSED, yes_or_no
from domain.approval import PLAN, SHOWN_SUMMARY, ApprovalAnswer, ApprovalPolicy
from domain.errors import UnknownQuestion, UsageError
from domain.events import Event, QuestionAsked
from domain.task_service import TaskService
from domain.text import both_ends, one_line


def check_terminal(policy: ApprovalPolicy, approve_plan: bool, as_json: bool) -> None:
    """UsageError where somebody is to be asked, and there is nobody."""
    if policy is ApprovalPolicy.AUTO and not approve_plan:
        return
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        option = "--approve-plan" if approve_plan else f"--approve {policy}"
        raise UsageError(
            f"{option} asks on the terminal, and there is none. Run it on a terminal without --json, or leave it out."
        )


async def answer_at_terminal(
    tasks: TaskService, event: Event, asked: QuestionAsked, view: Watcher, settings: Settings
) -> None:
    """Puts a question to the person, and hands the answer over; nothing where there is none in time."""
    with view.aside():
        try:
            async with asyncio.timeout(asked.patience_s):
                ask = _ask_about_plan if asked.tool == PLAN else _ask_about_call
                answer = await ask(asked, settings)
        except TimeoutError:
            print(flush=True)
            return
    try:
        await tasks.answer(event.owner, event.task_id, asked.question_id, answer, PERSON)
    except UnknownQuestion:
        view.say("That answer came too late.")


async def _ask_about_plan(asked: QuestionAsked, settings: Settings) -> ApprovalAnswer:
    # Whoever is not asked about a plan need not wait until all that plans is loaded.
    from app.plan_dialog import ask_about_plan

    return await ask_about_plan(asked.summary, settings)


async def _ask_about_call(asked: QuestionAsked, settings: Settings) -> ApprovalAnswer:
    del settings
    summary = both_ends(asked.summary, SHOWN_SUMMARY)
    approved = await yes_or_no(f"May the {one_line(asked.actor)} use {one_line(asked.tool)}? {summary} [y/n] ")
    return ApprovalAnswer(approved=approved, note="" if approved else REFUSED)
