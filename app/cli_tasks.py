"""``soundstage tasks`` and ``soundstage audit`` on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.options import JsonOption, TaskArgument, execute_command

if TYPE_CHECKING:
    from app.settings import Settings

tasks_app = typer.Typer(help="Look at tasks.", no_args_is_help=True, rich_markup_mode=None)


@tasks_app.command("list")
def tasks_list(
    most: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="how many")] = 20,
    json_lines: JsonOption = False,
) -> None:
    """List the newest tasks."""

    async def work(settings: "Settings") -> None:
        from app.commands.tasks import list_tasks

        await list_tasks(settings, most, json_lines)

    execute_command(work)


@tasks_app.command("show")
def tasks_show(task: TaskArgument, json_lines: JsonOption = False) -> None:
    """Show a task's state and evidence."""

    async def work(settings: "Settings") -> None:
        from app.commands.tasks import show_task

        await show_task(settings, task, json_lines)

    execute_command(work)


@tasks_app.command("events")
def tasks_events(task: TaskArgument, json_lines: JsonOption = False) -> None:
    """Show what happened in a task."""

    async def work(settings: "Settings") -> None:
        from app.commands.tasks import show_events

        await show_events(settings, task, json_lines)

    execute_command(work)


@tasks_app.command("patch")
def tasks_patch(task: TaskArgument) -> None:
    """Print what a task changed, as a patch."""

    async def work(settings: "Settings") -> None:
        from app.commands.tasks import show_patch

        await show_patch(settings, task)

    execute_command(work)


@tasks_app.command("artifacts")
def tasks_artifacts(
    task: TaskArgument,
    out: Annotated[Path | None, typer.Option(help="an empty or new folder to write them to")] = None,
    json_lines: JsonOption = False,
) -> None:
    """List the files that a task kept besides its tree, or write them to a folder."""

    async def work(settings: "Settings") -> None:
        from app.commands.tasks import show_artifacts

        await show_artifacts(settings, task, out, json_lines)

    execute_command(work)


def audit(
    task: Annotated[str | None, typer.Option(help="only this task: its id, or its beginning")] = None,
    json_lines: JsonOption = False,
) -> None:
    """Say who used which tool, whether that was allowed, and what came of it."""

    async def work(settings: "Settings") -> None:
        from app.commands.audit import show_audit

        await show_audit(settings, task, json_lines)

    execute_command(work)
