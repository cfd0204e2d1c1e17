"""The part of the command line that is about models and what they cost."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.options import JsonOption, execute_command

if TYPE_CHECKING:
    from app.settings import Settings

Grouping = Literal["model", "task", "day", "specialist", "provider", "user", "purpose"]
DAY = ["%Y-%m-%d"]

models_app = typer.Typer(help="Look at models and try them.", no_args_is_help=True, rich_markup_mode=None)


@models_app.command("list")
def models_list(
    provider: Annotated[str | None, typer.Option(help="only those of this provider")] = None,
    json_lines: JsonOption = False,
) -> None:
    """List the models that are known, and those that the providers at hand offer."""

    async def work(settings: "Settings") -> None:
        from app.commands.models import list_models

        await list_models(settings, provider, json_lines)

    execute_command(work)


@models_app.command("test")
def models_test(
    model: Annotated[str | None, typer.Argument(help='"ID" or "PROVIDER/ID", or "scripted"')] = None,
    json_lines: JsonOption = False,
) -> None:
    """Send small requests to a model: text, tools, JSON by a schema. They cost what they cost.

    Exit codes: 0 it answers in text, 3 it does not.
    """

    async def work(settings: "Settings") -> int:
        from app.commands.model_trial import try_model

        return await try_model(settings, model, json_lines)

    execute_command(work)


def costs(
    by: Annotated[Grouping, typer.Option(help="one line for each of these")] = "model",
    since: Annotated[datetime | None, typer.Option(formats=DAY, help="the first day, in UTC")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="the last day, in UTC")] = None,
    task: Annotated[str | None, typer.Option(help="only this task: its id, or its beginning")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table")] = False,
    json_lines: JsonOption = False,
) -> None:
    """Say what the calls of models cost, from the ledger."""

    async def work(settings: "Settings") -> None:
        from app.commands.costs import CostOptions, show_costs

        days = (since.date() if since else None, until.date() if until else None)
        await show_costs(settings, CostOptions(by=by, days=days, task=task, as_csv=as_csv, as_json=json_lines))

    execute_command(work)
