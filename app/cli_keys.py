"""The command line of ``soundstage keys``."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.options import JsonOption, execute_command

if TYPE_CHECKING:
    from app.settings import Settings

keys_app = typer.Typer(help="Keep the API keys of providers, encrypted.", no_args_is_help=True, rich_markup_mode=None)

ProviderArgument = Annotated[str, typer.Argument(help="openai, groq, mistral, openai-compatible, or any other name")]
UrlOption = Annotated[str | None, typer.Option(help="where the provider answers, to check the key there")]
INTERRUPTED = 130


@keys_app.command("add")
def keys_add(
    provider: ProviderArgument,
    more: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    label: Annotated[str, typer.Option(help="a note of yours")] = "",
    url: UrlOption = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="do not ask the provider about it first")] = False,
) -> None:
    """Keep a key: it is asked for without echo, or read from standard input."""
    if more:
        # Typer's own message would repeat the key.
        typer.echo(
            "error: The key is not taken from the command line, where others see it and the shell remembers it. If "
            "that was one, revoke it; then run the command without it.",
            err=True,
        )
        raise typer.Exit(2)
    from app.secret_input import read_secret

    try:
        secret = read_secret("API key (not shown): ")
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None

    async def work(settings: "Settings") -> None:
        from app.commands.keys import add_key
        from app.providers import address_of

        await add_key(settings, provider, secret, label, None if no_check else url or address_of(settings, provider))

    execute_command(work)


@keys_app.command("list")
def keys_list(json_lines: JsonOption = False) -> None:
    """List the keys that are set and kept; none is shown."""

    async def work(settings: "Settings") -> None:
        from app.commands.keys import list_keys

        await list_keys(settings, json_lines)

    execute_command(work)


@keys_app.command("remove")
def keys_remove(key: Annotated[str, typer.Argument(metavar="ID", help="the key's id, or its beginning")]) -> None:
    """Forget a key that is kept."""

    async def work(settings: "Settings") -> None:
        from app.commands.keys import remove_key

        await remove_key(settings, key)

    execute_command(work)


@keys_app.command("rotate")
def keys_rotate() -> None:
    """Encrypt the keys that are kept under a new master key."""

    async def work(settings: "Settings") -> None:
        from app.commands.keys import rotate_keys

        await rotate_keys(settings)

    execute_command(work)


@keys_app.command("check")
def keys_check(
    provider: Annotated[str | None, typer.Argument(help="only the keys of this provider")] = None,
    url: UrlOption = None,
    json_lines: JsonOption = False,
) -> None:
    """Ask the providers whether they take the keys. Exit code 3 when one is not well."""

    async def work(settings: "Settings") -> int:
        from app.commands.keys import check_keys

        return await check_keys(settings, provider, url, json_lines)

    execute_command(work)
