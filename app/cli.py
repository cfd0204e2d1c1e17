"""The command line. Each command imports what it needs when it runs, so that ``--help`` is instant."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli_access import access_app
from app.cli_keys import keys_app
from app.cli_mcp import mcp
from app.cli_models import costs, models_app
from app.cli_run import run
from app.cli_servers import servers_app
from app.cli_tasks import audit, tasks_app
from app.options import JsonOption, execute_command

if TYPE_CHECKING:
    from app.settings import Settings


app = typer.Typer(
    name="soundstage",
    help="Plans, codes, tests and proves a programming task in short-lived containers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
images_app = typer.Typer(help="Build, list and prune the sandbox images.", no_args_is_help=True, rich_markup_mode=None)
sandbox_app = typer.Typer(help="Run, list and remove sandboxes.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(tasks_app, name="tasks")
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(images_app, name="images")
app.add_typer(models_app, name="models")
app.add_typer(keys_app, name="keys")
app.add_typer(access_app, name="access")
app.add_typer(servers_app, name="servers")
app.command("run")(run)
app.command("mcp")(mcp)
app.command("costs")(costs)
app.command("audit")(audit)


@app.command()
def doctor(
    json_lines: JsonOption = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="inspect a live sandbox, property by property")] = False,
    isolation: Annotated[str | None, typer.Option(help="with --sandbox: runc or runsc (gVisor)")] = None,
) -> None:
    """Check what Soundstage needs, and say what to do about what is missing."""

    async def work(settings: "Settings") -> int:
        from app.commands.doctor import examine, examine_sandbox, show

        findings = await (examine_sandbox(settings, isolation) if sandbox else examine(settings))
        if json_lines:
            for finding in findings:
                print(finding.model_dump_json())
        else:
            show(findings)
        return 0 if all(finding.ok for finding in findings) else 3

    execute_command(work)


@images_app.command("build")
def images_build(
    languages: Annotated[list[str] | None, typer.Argument(help="languages; all when none is named")] = None,
    base: Annotated[str | None, typer.Option(help="a base image instead of the usual one")] = None,
    ca_bundle: Annotated[Path | None, typer.Option(help="a PEM file that downloads trust besides")] = None,
) -> None:
    """Build the sandbox images that are missing."""

    async def work(settings: "Settings") -> None:
        from app.commands.images import build_images

        await build_images(settings, tuple(languages or ()), base, ca_bundle)

    execute_command(work)


@images_app.command("list")
def images_list() -> None:
    """List the sandbox images."""

    async def work(settings: "Settings") -> None:
        from app.commands.images import list_images

        await list_images(settings)

    execute_command(work)


@sandbox_app.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def sandbox_exec(
    argv: Annotated[list[str], typer.Argument(metavar="-- CMD...", help="the command and its arguments")],
    language: Annotated[str, typer.Option(help="whose image to use")] = "python",
    image: Annotated[str | None, typer.Option(help="an image of the engine instead")] = None,
    profile: Annotated[str, typer.Option(help="small, default or large")] = "default",
    isolation: Annotated[str | None, typer.Option(help="runc or runsc (gVisor)")] = None,
    timeout: Annotated[float, typer.Option(help="seconds until it is ended")] = 60.0,
    files: Annotated[Path | None, typer.Option(help="a folder whose files it finds in its working folder")] = None,
    out: Annotated[Path | None, typer.Option(help="an empty or new folder for the files that it wrote")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of the output")] = False,
) -> None:
    """Run a command in a sandbox of its own, without network.

    Exit codes: the command's own; 124 out of time, 125 too much output, 137 ended or out of memory; 2 wrong usage,
    3 a part that Soundstage needs is missing or broken.
    """

    async def work(settings: "Settings") -> int:
        from app.commands.sandbox_exec import ExecOptions
        from app.commands.sandbox_exec import execute as execute_in_sandbox

        options = ExecOptions(
            argv=tuple(argv),
            language=language,
            image=image,
            profile=profile,
            isolation=isolation,
            timeout=timeout,
            files=files,
            out=out,
            as_json=as_json,
        )
        return await execute_in_sandbox(settings, options)

    execute_command(work)


@sandbox_app.command("list")
def sandbox_list(json_lines: JsonOption = False) -> None:
    """List the sandboxes that are there, whose they are, and until when."""

    async def work(settings: "Settings") -> None:
        from app.commands.containers import list_containers

        await list_containers(settings, json_lines)

    execute_command(work)


@sandbox_app.command("reap")
def sandbox_reap(as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False) -> None:
    """Remove the sandboxes that crashed processes left behind."""

    async def work(settings: "Settings") -> None:
        from app.commands.containers import reap

        await reap(settings, as_json)

    execute_command(work)


@images_app.command("prune")
def images_prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only name what would be removed")] = False,
    layers: Annotated[bool, typer.Option("--all", help="also dependencies that could be of use again")] = False,
) -> None:
    """Remove sandbox images of other versions that no container uses.

    What was installed on top of such an image goes with it. With --all, all installed dependencies go: the next
    "run --install" installs them anew, and may choose other versions. Use it while no task is at work.
    """

    async def work(settings: "Settings") -> None:
        from app.commands.images import prune_images

        await prune_images(settings, dry_run, layers)

    execute_command(work)


def main() -> None:
    """The console script."""
    app()
