"""Tests of app/progress.py: what people are shown while a task runs."""

import json
from datetime import UTC, datetime

import pytest

from app.progress import LiveWatcher, PlainWatcher, cost_text, watcher
from domain.chat import Usage
from domain.events import Event, Fact, ModelCalled, NoticeGiven, ToolCalled
from domain.money import NanoUsd
from domain.progress import Progress

HOSTILE = "\x1b]0;title\x07\x1b[2J<b>\u202egnp.exe\r\n[red]"


def _event(fact: Fact, seq: int = 1) -> Event:
    return Event(task_id="t", seq=seq, key=str(seq), at=datetime(2026, 1, 2, tzinfo=UTC), fact=fact)


@pytest.fixture(params=["plain", "live"])
def shown(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> str:
    """What a watcher prints of hostile text."""
    view = PlainWatcher() if request.param == "plain" else LiveWatcher()
    tool = ToolCalled(subtask_id="a", tool="shell", summary="", ok=False, duration_s=0.1, observation=HOSTILE)
    view.see(_event(tool))
    view.see(_event(NoticeGiven(text=HOSTILE)))
    view.say(HOSTILE)
    view.close()
    return capsys.readouterr().out


def test_hostile_text_reaches_the_terminal_harmless(shown: str) -> None:
    assert "title" not in shown
    assert "\x1b]" not in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown
    assert "[red]" in shown


def test_json_lines_hold_the_whole_event(capsys: pytest.CaptureFixture[str]) -> None:
    view = watcher(as_json=True)
    view.see(_event(NoticeGiven(text=HOSTILE)))
    view.say("aside")
    view.close()
    captured = capsys.readouterr()
    assert json.loads(captured.out)["fact"]["text"] == HOSTILE
    assert "\x1b" not in captured.out
    assert captured.err == "aside\n"


def test_a_pipe_gets_plain_lines() -> None:
    view = watcher(as_json=False)
    view.say("plain")
    assert not isinstance(view, LiveWatcher)


def test_a_cost_whose_price_is_not_known_is_said() -> None:
    progress = Progress()
    usage = Usage(input_tokens=10, output_tokens=5)
    for priced, text in ((True, "$0.000000007"), (False, "price unknown")):
        called = ModelCalled(subtask_id="a", model="m", usage=usage, cost=NanoUsd(7), priced=priced, latency_s=1.0)
        progress.see(_event(called))
        assert cost_text(progress) == text
