"""Asking the person at the terminal whether a specialist may use a tool."""

import asyncio
import os
import sys

from app.progress import Watcher
from domain.approval import SHOWN_SUMMARY, ApprovalAnswer, ApprovalPolicy
from domain.errors import UnknownQuestion, UsageError
from domain.events import Event, QuestionAsked
from domain.task_service import TaskService
from domain.text import both_ends, one_line

ANSWERS = {"y": True, "yes": True, "n": False, "no": False}
PERSON = "the person at the terminal"


def check_terminal(policy: ApprovalPolicy, as_json: bool) -> None:
    """UsageError where somebody is to be asked, and there is nobody."""
    if policy is ApprovalPolicy.AUTO:
        return
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            f"--approve {policy} asks on the terminal, and there is none. Run it on a terminal without --json, or "
            "leave --approve out."
        )


async def answer_at_terminal(tasks: TaskService, event: Event, asked: QuestionAsked, view: Watcher) -> None:
    """Puts a question to the person, and hands the answer over; nothing where there is none in time."""
    summary = both_ends(asked.summary, SHOWN_SUMMARY)
    question = f"May the {one_line(asked.actor)} use {one_line(asked.tool)}? {summary} [y/n] "
    with view.aside():
        try:
            async with asyncio.timeout(asked.patience_s):
                approved = await yes_or_no(question)
        except TimeoutError:
            print(flush=True)
            return
    answer = ApprovalAnswer(approved=approved, note="" if approved else f"{PERSON} refused")
    try:
        await tasks.answer(event.owner, event.task_id, asked.question_id, answer, PERSON)
    except UnknownQuestion:
        view.say("That answer came too late.")


async def yes_or_no(question: str) -> bool:
    """The person's answer; an end of the input is a no."""
    while True:
        print(question, end="", flush=True)
        line = await _line()
        if not line:
            return False
        if (said := line.strip().lower()) in ANSWERS:
            return ANSWERS[said]


async def _line() -> str:
    """A line of the terminal. A thread that read it could not be ended."""
    loop, source, ready = asyncio.get_running_loop(), sys.stdin.fileno(), asyncio.Event()
    loop.add_reader(source, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(source)
    return os.read(source, 4096).decode(errors="replace")
