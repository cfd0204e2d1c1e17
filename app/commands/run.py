"""``soundstage run``."""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from app.approvals import answer_at_terminal, check_terminal
from app.budget import parse_budget
from app.cassettes.recordings import choose_or_replay
from app.cassettes.tape import Tape
from app.demo_script import check_known
from app.inputs import Inputs, read_inputs
from app.models import SCRIPTED, Models
from app.models_file import read_knowledge
from app.progress import Watcher, watcher
from app.settings import Settings
from domain.approval import ApprovalPolicy
from domain.base import Value
from domain.describe import evidence_line
from domain.errors import OutputRefused, SoundstageError, UsageError
from domain.events import QuestionAsked
from domain.money import format_usd
from domain.strategy import Strategy
from domain.task import INTERRUPTED, LOCAL_OWNER, Limits, TaskResult, TaskStatus
from domain.task_service import TaskOrder
from gateway.pricing import Prices
from sandbox import images, isolation
from sandbox.dependencies.layer_store import LayerStore
from sandbox.image_engine import ImageEngine
from sandbox.profiles import profile
from storage.export import check_empty, export

if TYPE_CHECKING:
    from app.bootstrap import Soundstage
    from app.task_desk import TaskDesk

MOST_STEPS = 10_000


class RunOptions(Value):
    """What the user typed. ``budget_usd`` is an amount in USD as text."""

    prompt: str
    repo: Path | None = None
    out: Path | None = None
    model: str | None = None
    tests: tuple[Path, ...] = ()
    test_command: str | None = None
    budget_usd: str | None = None
    max_steps: int | None = None
    max_tokens: int = 2_000_000
    json_lines: bool = False
    patch: Path | None = None
    isolation: str = "runc"
    profile: str = "default"
    install: bool = False
    wheels: Path | None = None
    record: Path | None = None
    replay: Path | None = None
    cache: bool = False
    approval: ApprovalPolicy = ApprovalPolicy.AUTO
    strategy: Strategy = Strategy()


async def run(settings: Settings, options: RunOptions) -> int:
    """Runs a task and shows it; returns the exit code. Nothing is written where the user's input is wrong."""
    limits = _limits(options)
    isolation.runtime(options.isolation)
    profile(options.profile)
    settings = _with_wheels(settings, options)
    order = _order(options, limits)
    _check_targets(options)
    check_terminal(options.approval, options.strategy.approve_plan, options.json_lines)
    inputs = await read_inputs(options.repo, list(options.tests))
    prices = read_knowledge(settings).prices
    tape = Tape(options.record, settings.known_secrets) if options.record is not None else None
    models = await choose_or_replay(settings, options.model, options.replay, tape)
    try:
        if models.chosen.provider == SCRIPTED:
            check_known(order.prompt)
        await _check_engine(settings)
        if tape is not None:
            await tape.start(models.chosen.route)
    except BaseException:
        await models.close()
        raise
    # Whoever typed something wrong has been told by now, without the whole product.
    from app.bootstrap import build

    view = watcher(options.json_lines)
    try:
        _introduce(view, models, inputs)
        _warn(view, models, limits, prices)
        if options.record is not None:
            view.say(f"recording what the model says in {options.record}")
        async with build(settings, models) as soundstage:
            for name in soundstage.reaped:
                view.say(f"removed a container that a crashed run left behind: {name}")
            order = order.model_copy(update={"files": inputs.files, "tests": inputs.tests, "origin": inputs.origin})
            result = await _work(soundstage.tasks, order, view, settings)
            await _deliver(soundstage, options, result, view)
    finally:
        view.close()
    return 0 if result.solved else 1


def _with_wheels(settings: Settings, options: RunOptions) -> Settings:
    if options.wheels is None:
        return settings
    if not options.install:
        raise UsageError("--wheels says where packages are installed from. Add --install, or leave --wheels out.")
    if not options.wheels.is_dir():
        raise UsageError(f"{options.wheels} is no folder. Name a folder of wheels with --wheels.")
    return settings.model_copy(update={"soundstage_wheels": options.wheels})


def _limits(options: RunOptions) -> Limits:
    steps = 1 if options.max_steps is None else options.max_steps
    if options.max_tokens < 1 or not 1 <= steps <= MOST_STEPS:
        raise UsageError(f"--max-steps takes 1 to {MOST_STEPS}, and --max-tokens a number of at least 1.")
    try:
        return Limits(
            budget=parse_budget(options.budget_usd), max_steps=options.max_steps, max_tokens=options.max_tokens
        )
    except ValidationError as error:
        raise UsageError(f"A limit is out of range: {_reasons(error)}.") from error


def _order(options: RunOptions, limits: Limits) -> TaskOrder:
    try:
        return TaskOrder(
            prompt=options.prompt,
            test_command=options.test_command,
            isolation=options.isolation,
            profile=options.profile,
            install=options.install,
            # What is recorded must have been said, and a replay needs no reply that was.
            cache=options.cache and options.record is None and options.replay is None,
            limits=limits,
            approval=options.approval,
            strategy=options.strategy,
        )
    except ValidationError as error:
        raise UsageError(f"The request cannot be used: {_reasons(error)}.") from error


def _reasons(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(problem["msg"].removeprefix("Value error, ") for problem in problems)


def _check_targets(options: RunOptions) -> None:
    if options.test_command is not None and not options.test_command.strip():
        raise UsageError("--test-command is empty. Give the command that runs your tests, or leave the option out.")
    if options.record is not None and options.replay is not None:
        raise UsageError("A replay is recorded already. Leave --record or --replay out.")
    if options.out is not None:
        check_empty(options.out)
    if options.patch is not None:
        folder = options.patch.parent
        if options.patch.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise OutputRefused(
                f"{options.patch} cannot be written. Name a file in a folder that is there with --patch."
            )


async def _check_engine(settings: Settings) -> None:
    """ImageMissing when no engine has the image that every task needs; EngineUnavailable when none answers."""
    await LayerStore([ImageEngine(address.host) for address in settings.engines]).platform(images.tag("python"))


def _introduce(view: Watcher, models: Models, inputs: Inputs) -> None:
    if models.first.announcement:
        view.say(models.first.announcement)
    view.say(f"model: {models.chosen.model} ({models.chosen.why})")
    for note in inputs.notes:
        view.say(f"note: {note}")


def _warn(view: Watcher, models: Models, limits: Limits, prices: Prices) -> None:
    chosen = models.chosen
    if limits.budget is not None and prices.tariff(chosen.provider, chosen.model, models.first.local) is None:
        view.say(
            f"No price is known for {chosen.model}, so the budget cannot be held in USD; "
            f"its limit is {limits.max_tokens:,} tokens."
        )


async def _work(tasks: "TaskDesk", order: TaskOrder, view: Watcher, settings: Settings) -> TaskResult:
    task_id = await tasks.submit(order)
    view.say(f"task {task_id}")
    following = asyncio.create_task(_follow(tasks, task_id, view, settings))
    try:
        result = await tasks.wait(order.owner, task_id)
        await following
    except BaseException as error:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError, SoundstageError):
            await following
        with contextlib.suppress(SoundstageError):
            await tasks.cancel(order.owner, task_id, INTERRUPTED)
        if isinstance(error, asyncio.CancelledError | SoundstageError):
            view.say(f"The files as they are now: soundstage tasks patch {task_id}")
        raise
    return result


async def _follow(tasks: "TaskDesk", task_id: str, view: Watcher, settings: Settings) -> None:
    async for event in tasks.follow(LOCAL_OWNER, task_id):
        view.see(event)
        if isinstance(event.fact, QuestionAsked):
            await answer_at_terminal(tasks, event, event.fact, view, settings)


async def _deliver(soundstage: "Soundstage", options: RunOptions, result: TaskResult, view: Watcher) -> None:
    workspace = soundstage.store.workspaces.open(result.task_id)
    spec = await soundstage.store.tasks.spec(result.task_id)
    changed = await workspace.paths(spec.base_commit, result.commit)
    for line in _summary(result, changed):
        view.say(line)
    hint = f"see it with: soundstage tasks patch {result.task_id}"
    try:
        if options.patch is not None:
            _write_patch(options.patch, await workspace.patch(spec.base_commit, result.commit))
            view.say(f"patch: {options.patch}")
        if options.out is not None:
            written = await export(await workspace.files(result.commit), options.out)
            view.say(f"written: {len(written)} files to {options.out}")
    except OutputRefused:
        view.say(hint)
        raise
    if options.out is None and options.patch is None and changed:
        view.say(hint)


def _write_patch(target: Path, patch: str) -> None:
    """Writes the patch whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(patch.encode("utf-8", "surrogateescape"))
        os.chmod(file.name, 0o644)
        os.replace(file.name, target)
    except OSError as error:
        raise OutputRefused(
            f"{target} cannot be written ({error.strerror}). Name another file with --patch."
        ) from error


def _summary(result: TaskResult, changed: tuple[str, ...]) -> list[str]:
    lines = ["", f"{_headline(result)}: {result.reason}"]
    if result.evidence is not None:
        evidence = result.evidence
        lines.append(f"evidence: {evidence_line(evidence)} ({evidence.isolation}, tree {evidence.tree[:12]})")
    lines.append(f"changed: {', '.join(changed[:20]) or 'nothing'}")
    if result.artifacts:
        names = ", ".join(artifact.path for artifact in result.artifacts[:10])
        lines.append(f"artifacts: {names} (soundstage tasks artifacts {result.task_id} --out FOLDER)")
    cost = format_usd(result.cost) if result.priced else "price unknown"
    lines.append(f"used: {result.usage.total_tokens:,} tokens, {cost}, attempts: {result.attempts}")
    return lines


def _headline(result: TaskResult) -> str:
    return f"SOLVED ({result.grade})" if result.status is TaskStatus.SOLVED else result.status.upper()
