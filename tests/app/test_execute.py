"""Tests of app/execute.py."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from app.execute import execute
from app.settings import Settings
from domain.errors import EngineUnavailable, UsageError


def test_the_exit_code_is_the_commands() -> None:
    async def work(_settings: Settings) -> int:
        return 1

    async def nothing(_settings: Settings) -> None:
        return None

    assert execute(work) == 1
    assert execute(nothing) == 0


@pytest.mark.parametrize(("error", "code"), [(UsageError("no\x1b[31m way"), 2), (EngineUnavailable(), 3)])
def test_an_error_becomes_a_message_and_its_exit_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(_settings: Settings) -> int:
        raise error

    assert execute(work) == code
    shown = capsys.readouterr().err
    assert shown.startswith("error: ")
    assert "\x1b" not in shown


def test_a_bug_goes_to_a_file_and_not_to_the_person(capsys: pytest.CaptureFixture[str]) -> None:
    async def work(_settings: Settings) -> int:
        raise ZeroDivisionError("oops")

    assert execute(work) == 1
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    saved = Path(shown.strip().rsplit(" ", 1)[-1])
    assert "ZeroDivisionError: oops" in saved.read_text()
    saved.unlink()


def test_a_setting_of_the_wrong_kind_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(_settings: Settings) -> int:
        return 0

    monkeypatch.setattr("app.execute.Settings", lambda: Settings.model_validate({"docker_host": 7}))
    assert execute(work) == 2
    assert "DOCKER_HOST" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_work_and_lets_it_tidy_up(number: signal.Signals) -> None:
    tidied = []

    async def work(_settings: Settings) -> int:
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(60)
        finally:
            tidied.append(True)
        return 0

    assert execute(work) == 130
    assert tidied == [True]
