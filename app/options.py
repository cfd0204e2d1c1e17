"""What the commands of the command line share: options, and how one is carried out."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines instead of text")]
TaskArgument = Annotated[str, typer.Argument(help="the task's id, or its beginning")]


def execute_command(work: "Callable[[Settings], Coroutine[Any, Any, int | None]]") -> None:
    """Runs a command and ends the process with its exit code; every error becomes a message."""
    from app.execute import execute

    raise typer.Exit(execute(work))
