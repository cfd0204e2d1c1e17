"""The command line of ``soundstage servers``."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.options import JsonOption, execute_command

if TYPE_CHECKING:
    from app.settings import Settings

servers_app = typer.Typer(
    help="Approve the tools of external MCP servers, which servers.toml names.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="the server's name in servers.toml")]


@servers_app.command("list")
def servers_list(json_lines: JsonOption = False) -> None:
    """List the servers and what was approved of them; none is started."""

    async def work(settings: "Settings") -> None:
        from app.commands.servers import list_servers

        await list_servers(settings, json_lines)

    execute_command(work)


@servers_app.command("check")
def servers_check(name: NameArgument, json_lines: JsonOption = False) -> None:
    """Start a server, and show its tools: which are approved, new, changed or gone.

    Exit codes: 0 what was approved is what it offers, 1 it is not, 3 the server does not answer.
    """

    async def work(settings: "Settings") -> int:
        from app.commands.servers import check_server

        return await check_server(settings, name, json_lines)

    execute_command(work)


@servers_app.command("approve")
def servers_approve(
    name: NameArgument,
    digest: Annotated[str | None, typer.Option(help="without a question, where the tools have this digest")] = None,
) -> None:
    """Approve all tools that a server offers now, exactly as they are."""

    async def work(settings: "Settings") -> int:
        from app.commands.servers import approve_server

        return await approve_server(settings, name, digest)

    execute_command(work)


@servers_app.command("revoke")
def servers_revoke(name: NameArgument) -> None:
    """Take back what was approved of a server. Whoever is at work learns of it with the next call."""

    async def work(settings: "Settings") -> None:
        from app.commands.servers import revoke_server

        await revoke_server(settings, name)

    execute_command(work)
