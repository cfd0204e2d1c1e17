"""``soundstage run``, as it is typed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.options import JsonOption, execute_command

if TYPE_CHECKING:
    from app.settings import Settings

Approval = Literal["auto", "destructive", "always"]
Kind = Literal["new_code", "fix", "refactor", "add_tests", "web_app", "scrape", "question"]
Planning = Literal["auto", "always", "never"]
STRATEGY = ("plan", "approve_plan", "planning", "kind", "samples", "role_model")


def run(
    prompt: Annotated[str, typer.Argument(help='what to build or fix; "-" reads it from standard input')],
    repo: Annotated[Path | None, typer.Option(help="a git repository to work on, from its last commit")] = None,
    out: Annotated[Path | None, typer.Option(help="an empty or new folder for the result")] = None,
    model: Annotated[str | None, typer.Option(help='"ID" or "PROVIDER/ID", several with commas, or "scripted"')] = None,
    tests: Annotated[list[Path] | None, typer.Option(help="your tests: a file or a folder; they are protected")] = None,
    test_command: Annotated[str | None, typer.Option(help="your own command that checks the result")] = None,
    budget_usd: Annotated[str | None, typer.Option(help="the most that the models may cost, in USD")] = None,
    max_steps: Annotated[int | None, typer.Option(help="the most steps of one specialist")] = None,
    max_tokens: Annotated[int, typer.Option(help="the most tokens in all")] = 2_000_000,
    json_lines: JsonOption = False,
    patch: Annotated[Path | None, typer.Option(help="write the changes to this file as a patch")] = None,
    isolation: Annotated[str | None, typer.Option(help="how sandboxes are contained: runc or runsc (gVisor)")] = None,
    profile: Annotated[str, typer.Option(help="how much a sandbox may use: small, default or large")] = "default",
    install: Annotated[bool, typer.Option("--install", help="first install what requirements.txt asks for")] = False,
    wheels: Annotated[Path | None, typer.Option(help="with --install: a folder of wheels to take")] = None,
    record: Annotated[Path | None, typer.Option(help="record what the model says in this new file")] = None,
    replay: Annotated[Path | None, typer.Option(help="say again what was recorded, without a model")] = None,
    cache: Annotated[bool | None, typer.Option(help="take replies to equal calls of earlier runs")] = None,
    approval: Annotated[Approval, typer.Option("--approve", help="calls of tools that you are asked about")] = "auto",
    plan: Annotated[Path | None, typer.Option(help="carry out the plan in this file, a JSON object")] = None,
    approve_plan: Annotated[bool, typer.Option("--approve-plan", help="look at the plan first, and change it")] = False,
    planning: Annotated[Planning, typer.Option(help="whether a model plans")] = "auto",
    kind: Annotated[Kind | None, typer.Option(help="the sort of work, where the request does not tell it")] = None,
    samples: Annotated[int, typer.Option(help="the most candidates for what is hard, of which the best is kept")] = 4,
    role_model: Annotated[list[str] | None, typer.Option(help="ROLE=MODEL, a model for one role; repeatable")] = None,
) -> None:
    """Run a task: plan, test, code, verify, correct.

    Exit codes: 0 solved (proven or checked), 1 not solved or unchecked, 2 wrong usage, 3 a part that Soundstage
    needs is missing or broken, 130 interrupted.
    """
    typed = dict(locals())
    execute_command(lambda settings: _run(settings, typed))


async def _run(settings: "Settings", typed: dict[str, Any]) -> int:
    """Runs the task with the options as they were typed, by their names."""
    from app.commands.run import RunOptions, run
    from app.strategy_options import strategy_of

    strategy = strategy_of({name: typed.pop(name) for name in STRATEGY}, settings)
    said = sys.stdin.buffer.read().decode(errors="surrogateescape") if typed["prompt"] == "-" else typed["prompt"]
    usual = {"isolation": settings.soundstage_isolation, "cache": settings.soundstage_response_cache}
    given = {name: value for name, value in typed.items() if value is not None}
    return await run(settings, RunOptions.model_validate({**usual, **given, "prompt": said, "strategy": strategy}))
