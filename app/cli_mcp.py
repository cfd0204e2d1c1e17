"""The command line of ``soundstage mcp``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.options import execute_command

if TYPE_CHECKING:
    from app.settings import Settings


def mcp(
    http: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="serve over HTTP, for access keys")] = None,
    model: Annotated[str | None, typer.Option(help='as "run" takes it; for tasks that name none')] = None,
    folders: Annotated[Path | None, typer.Option(help="git repositories below it may be worked on")] = None,
    host: Annotated[list[str] | None, typer.Option(help="with --http: a name that clients use for it")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="with --http: a web page's origin that may call")] = None,
) -> None:
    """Serve tasks to an IDE or another MCP client, over standard input and output.

    With --http, clients show an access key (soundstage access add) and reach it at http://HOST:PORT/mcp.
    """

    async def work(settings: "Settings") -> None:
        from app.commands.mcp import McpOptions, serve

        options = McpOptions(
            http=http, model=model, folders=folders, hosts=tuple(host or ()), origins=tuple(origin or ())
        )
        await serve(settings, options)

    execute_command(work)
