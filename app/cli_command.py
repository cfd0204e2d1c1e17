"""What the commands of the command line share."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from app.settings import Settings

JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines instead of text")]


def execute(work: "Callable[[Settings], Coroutine[Any, Any, int | None]]") -> None:
    """Runs a command and ends the process with its exit code; every error becomes a message."""
    from app.execute import execute as run

    raise typer.Exit(run(work))
