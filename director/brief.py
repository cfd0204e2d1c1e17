"""What a specialist is told: the goal, the files, and what went wrong before."""

from collections.abc import Iterable

from director.order import Order
from domain.evidence import Failure
from domain.files import FileTree
from domain.task import TaskSpec
from domain.text import excerpt, one_line, plain

LISTED_FILES = 200
SHOWN_FILE_CHARACTERS = 8_000
SHOWN_CHARACTERS = 24_000
FAILURE_CHARACTERS = 3_000
ANOTHER_WAY = "Others try the same at the same time. Go about it in another way than the first that comes to mind."


def write_brief(spec: TaskSpec, order: Order, files: FileTree, shown: Iterable[str]) -> str:
    """The first message to a specialist. ``shown`` are the paths whose content it needs to see first."""
    goal = order.subtask.goal
    parts = [f"Goal: {goal}"]
    if spec.prompt not in goal:
        parts.append(f"The request that this is part of:\n{excerpt(spec.prompt, SHOWN_CHARACTERS)}")
    listing = sorted(files)
    more = f"\n... and {len(listing) - LISTED_FILES} more" if len(listing) > LISTED_FILES else ""
    parts.append("Files in the workspace:\n" + ("\n".join(listing[:LISTED_FILES]) or "(none yet)") + more)
    parts += _contents(files, shown)
    if order.findings:
        found = (f"- {one.path}:{one.line} ({one.severity}): {one.text}" for one in order.findings)
        parts.append("What others found before you:\n" + excerpt("\n".join(found), FAILURE_CHARACTERS))
    if order.failure is not None:
        parts.append(describe_failure(order.failure))
    if order.analysis:
        parts.append(f"What somebody who looked at it says (it may be wrong):\n{order.analysis}")
    if order.candidate:
        parts.append(ANOTHER_WAY)
    return "\n\n".join(parts)


def _contents(files: FileTree, shown: Iterable[str]) -> list[str]:
    parts: list[str] = []
    left = SHOWN_CHARACTERS
    for path in dict.fromkeys(shown):
        file = files.get(path)
        if file is None or file.link is not None or left <= 0:
            continue
        text = excerpt(plain(file.content.decode(errors="replace")), min(left, SHOWN_FILE_CHARACTERS))
        left -= len(text)
        parts.append(f"Content of {path}:\n```\n{text}\n```")
    return parts


def describe_failure(failure: Failure) -> str:
    """A failure as feedback: what kind, which test, where, and what it said."""
    where = f" at {failure.path}:{failure.line}" if failure.path else ""
    test = f" in {one_line(failure.test_id, 200)}" if failure.test_id else ""
    message = excerpt(failure.message, FAILURE_CHARACTERS)
    return (
        f"Verification failed: {failure.kind}{test}{where}\n{message}\n\n"
        "Say to yourself what caused this, then mend the cause, not the symptom."
    )
