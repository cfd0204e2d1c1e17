"""``soundstage sandbox exec``: one command in a sandbox of its own."""

import asyncio
import base64
import codecs
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from app.instances import InstanceLock
from app.sandboxes import docker_sandboxes
from app.settings import Settings
from domain.base import Value
from domain.command import Command, CommandResult, Verdict
from domain.errors import InfrastructureError, UsageError
from domain.files import FileTree, TreeChange
from domain.text import plain
from sandbox.base import OutputChunk, Sandbox, SandboxRequest
from sandbox.container import Instance
from storage.export import check_empty, export
from storage.folder_import import read_folder

TIMED_OUT, ENDED, LIMITED = 124, 137, 125
LEEWAY_S = 60.0
PIECE = 1 << 16


class ExecOptions(Value):
    """What the user typed; ``timeout`` is seconds."""

    argv: tuple[str, ...]
    language: str = "python"
    image: str | None = None
    profile: str = "default"
    isolation: str | None = None
    timeout: float = 60.0
    files: Path | None = None
    out: Path | None = None
    as_json: bool = False


async def execute(settings: Settings, options: ExecOptions) -> int:
    """Runs the command, streams its output, and returns the exit code: the command's own, 124 when it was out of
    time, 137 when it was ended or out of memory, 125 when it wrote too much."""
    try:
        return await _execute(settings, options)
    except InfrastructureError as error:
        if options.as_json:
            print(json.dumps({"verdict": Verdict.INFRASTRUCTURE.value, "exit_code": None, "error": plain(str(error))}))
        raise


async def _execute(settings: Settings, options: ExecOptions) -> int:
    command, request = _command(options), _request(settings, options)
    if options.out is not None:
        check_empty(options.out)
    change = TreeChange(written=await read_folder(options.files) if options.files else {})
    lock = InstanceLock(settings.home / "instances")
    lock.acquire()
    try:
        sandboxes = docker_sandboxes(settings, Instance(id=lock.id, home=settings.home_id), warm=False)
        try:
            async with sandboxes.lease(request) as sandbox:
                for note in sandbox.lease.notes:
                    _say(f"note: {note}")
                if change.written:
                    await sandbox.put(change, clear=True)
                result = await _follow(sandbox, command, options.as_json)
                written = await _written(sandbox, change) if options.out else {}
                isolation = sandbox.isolation
        finally:
            await asyncio.shield(sandboxes.close())
    finally:
        lock.release()
    if options.out is not None:
        await export(written, options.out)
    if options.as_json:
        print(json.dumps(_as_json(result, isolation)))
    elif result.verdict not in {Verdict.OK, Verdict.FAILED}:
        _say(_explain(result, options))
    return _exit_code(result)


async def _written(sandbox: Sandbox, before: TreeChange) -> FileTree:
    """What the command wrote: a file that is as it was brought is none of it."""
    fetched = (await sandbox.fetch()).change.written
    return {path: file for path, file in fetched.items() if before.written.get(path) != file}


def _command(options: ExecOptions) -> Command:
    try:
        return Command(argv=options.argv, timeout_s=options.timeout)
    except ValidationError as error:
        (problem, *_) = error.errors(include_url=False, include_input=False)
        where = "--timeout" if problem["loc"] == ("timeout_s",) else "The command"
        said = problem["msg"].removeprefix("Value error, ")
        raise UsageError(f"{where} cannot be used: {said}.") from None


def _request(settings: Settings, options: ExecOptions) -> SandboxRequest:
    return SandboxRequest(
        task_id="",
        purpose="exec",
        language=options.language,
        image=options.image,
        profile=options.profile,
        isolation=options.isolation or settings.soundstage_isolation,
        lifetime_s=options.timeout + LEEWAY_S,
    )


async def _follow(sandbox: Sandbox, command: Command, quiet: bool) -> CommandResult:
    views = {"stdout": View(sys.stdout), "stderr": View(sys.stderr)}
    stdin = None if sys.stdin is None or sys.stdin.isatty() else _input()
    async with contextlib.aclosing(sandbox.stream(command, stdin)) as items:
        async for item in items:
            if isinstance(item, CommandResult):
                return item
            if not quiet:
                views[item.stream].show(item)
    raise AssertionError("a stream ends with its result")


async def _input() -> AsyncIterator[bytes]:
    """Standard input, bit by bit, without a thread that would outlive the command."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except (OSError, PermissionError):  # a regular file is always ready, and cannot be waited for
        while data := os.read(descriptor, PIECE):
            yield data
        return
    try:
        while True:
            await ready.wait()
            ready.clear()
            if not (data := os.read(descriptor, PIECE)):
                return
            yield data
    finally:
        loop.remove_reader(descriptor)


class View:
    """Passes output on: as it is to a file or a pipe, harmless to a terminal."""

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def show(self, chunk: OutputChunk) -> None:
        """Shows what came, at once."""
        data = chunk.data
        if self._target.isatty():
            data = plain(self._decoder.decode(data)).encode()
        self._target.buffer.write(data)
        self._target.flush()


def _explain(result: CommandResult, options: ExecOptions) -> str:
    more = {
        Verdict.TIMEOUT: f"it was ended after {options.timeout:g} s. Give it more with --timeout.",
        Verdict.OOM: f"the memory of profile {options.profile} was not enough. Use a larger one with --profile.",
        Verdict.OUTPUT_LIMIT: "it wrote more than 8 MiB. Write to a file and fetch that with --out.",
    }
    return f"sandbox: {result.verdict}: {more.get(result.verdict, 'it was ended by a signal.')}"


def _exit_code(result: CommandResult) -> int:
    codes = {Verdict.TIMEOUT: TIMED_OUT, Verdict.OUTPUT_LIMIT: LIMITED, Verdict.OOM: ENDED, Verdict.KILLED: ENDED}
    if result.verdict in codes:
        return codes[result.verdict]
    return 1 if result.exit_code is None else result.exit_code


def _as_json(result: CommandResult, isolation: str) -> dict[str, Any]:
    """The result as one object. Output that is no UTF-8 is shown with replacement characters and, in base64, whole."""
    shown: dict[str, Any] = {
        "verdict": result.verdict.value,
        "exit_code": result.exit_code,
        "stdout": result.stdout.decode(errors="replace"),
        "stderr": result.stderr.decode(errors="replace"),
        "duration_s": round(result.duration_s, 6),
        "usage": result.usage.model_dump(),
        "isolation": isolation,
    }
    for name, data in (("stdout", result.stdout), ("stderr", result.stderr)):
        if shown[name].encode() != data:
            shown[f"{name}_base64"] = base64.b64encode(data).decode()
    return shown


def _say(text: str) -> None:
    print(plain(text), file=sys.stderr, flush=True)
