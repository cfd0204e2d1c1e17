"""The command line of ``soundstage access``."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.options import JsonOption, execute_command

if TYPE_CHECKING:
    from app.settings import Settings

access_app = typer.Typer(
    help="Give out keys that let programs in, and take them back.", no_args_is_help=True, rich_markup_mode=None
)


@access_app.command("add")
def access_add(
    scope: Annotated[list[str], typer.Option(help="what it allows, such as tasks:read; several times for more")],
    owner: Annotated[str, typer.Option(help="whose tasks it is about")] = "local",
    label: Annotated[str, typer.Option(help="a note of yours")] = "",
    expires_days: Annotated[int | None, typer.Option(help="for how many days it lets in; for ever without it")] = None,
) -> None:
    """Make a key. It is shown once, on standard output."""

    async def work(settings: "Settings") -> None:
        from app.commands.access import add_access

        await add_access(settings, scope, owner, label, expires_days)

    execute_command(work)


@access_app.command("list")
def access_list(json_lines: JsonOption = False) -> None:
    """List the keys that were given out; none is shown."""

    async def work(settings: "Settings") -> None:
        from app.commands.access import list_access

        await list_access(settings, json_lines)

    execute_command(work)


@access_app.command("revoke")
def access_revoke(key: Annotated[str, typer.Argument(metavar="ID", help="the key's id, or its beginning")]) -> None:
    """End a key, at once and for good."""

    async def work(settings: "Settings") -> None:
        from app.commands.access import revoke_access

        await revoke_access(settings, key)

    execute_command(work)
