"""Showing a plan at the terminal, and letting the person change it in an editor."""

import asyncio
import shlex
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from app.settings import Settings
from app.terminal import REFUSED, choice
from director.planning.plan_approval import read_edited
from domain.approval import ApprovalAnswer
from domain.describe import plan_lines
from domain.errors import UsageError
from domain.plan import Plan
from specialists.role_files import read_roles

ANSWERS = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "e": "edit", "edit": "edit"}
EDITORS = ("nano", "vim", "vi")


async def ask_about_plan(summary: str, settings: Settings) -> ApprovalAnswer:
    """The person's answer to a plan in JSON, which may be another plan."""
    roles = read_roles(settings.role_folders)
    plan, edited = read_edited(summary, roles), ""
    while True:
        print("\n".join(("The plan:", *plan_lines(plan))), flush=True)
        said = await choice("Carry it out? [y/n/e to edit] ", ANSWERS, "no")
        if said != "edit":
            return ApprovalAnswer(approved=said == "yes", note="" if said == "yes" else REFUSED, edited=edited)
        try:
            plan = await _edited(plan, shlex.split(settings.editor or _installed()), roles)
            edited = plan.model_dump_json()
        except UsageError as error:
            print(error, flush=True)


async def _edited(plan: Plan, editor: list[str], roles: Collection[str]) -> Plan:
    """The plan as the person leaves it in an editor. UsageError where that is no plan."""
    with tempfile.TemporaryDirectory(prefix="soundstage-plan-") as folder:
        path = Path(folder) / "plan.json"
        path.write_text(plan.model_dump_json(indent=2, exclude_defaults=True) + "\n")
        try:
            process = await asyncio.create_subprocess_exec(*editor, str(path))
        except OSError as error:
            raise UsageError(f"{editor[0]} cannot be started ({error.strerror}). Set EDITOR to your editor.") from error
        if await process.wait() != 0:
            raise UsageError(f"{editor[0]} ended with {process.returncode}, so the plan stays as it is.")
        try:
            return read_edited(path.read_text(), roles)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"What the editor left cannot be read ({error}), so the plan stays as it is.") from error


def _installed() -> str:
    for name in EDITORS:
        if shutil.which(name):
            return name
    raise UsageError("There is no editor. Set EDITOR to yours, or answer y or n.")
