"""Running a command's coroutine: signals, errors and exit codes."""

import asyncio
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import SecretStr, ValidationError

from app.settings import Settings
from domain.errors import SoundstageError, UsageError
from domain.redaction import Redactor
from domain.text import plain

INTERRUPTED = 130
INTERNAL_ERROR = 1


def execute(work: Callable[[Settings], Coroutine[Any, Any, int | None]]) -> int:
    """The exit code of a command. A person sees a message, never a traceback, and neither shows a secret."""
    secrets: list[SecretStr] = []
    try:
        settings = _settings()
        secrets = settings.known_secrets
        return asyncio.run(_with_signals(work, settings)) or 0
    except (KeyboardInterrupt, asyncio.CancelledError):
        _complain("Interrupted. Its containers are gone, and what it did is kept.")
        return INTERRUPTED
    except SoundstageError as error:
        _complain(Redactor(secrets).text(f"error: {error}"))
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about that at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERNAL_ERROR
    except Exception as error:  # noqa: BLE001 - the last line of defence: a traceback goes to a file, not to people
        _complain(
            f"error: Soundstage itself failed ({type(error).__name__}). Please report it with {_save(error, secrets)}"
        )
        return INTERNAL_ERROR


async def _with_signals(work: Callable[[Settings], Coroutine[Any, Any, int | None]], settings: Settings) -> int | None:
    task = asyncio.ensure_future(work(settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    return await task


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, problem["loc"])).upper()
        raise UsageError(f"The setting {name} cannot be used: {problem['msg']}. Correct it or unset it.") from error


def _complain(message: str) -> None:
    print(plain(message), file=sys.stderr, flush=True)


def _save(error: Exception, secrets: list[SecretStr]) -> str:
    text = Redactor(secrets).text("".join(traceback.format_exception(error)))
    with tempfile.NamedTemporaryFile("w", prefix="soundstage-error-", suffix=".txt", delete=False) as file:
        file.write(text)
    return file.name
