"""Tests of app/describe.py and app/progress.py: what people are shown."""

import json
from datetime import UTC, datetime

import pytest

from app.describe import describe
from app.progress import LiveWatcher, PlainWatcher, Totals, watcher
from domain.chat import Usage
from domain.command import Verdict
from domain.events import Event, Fact, ModelCalled, NoticeGiven, SandboxFailed, SubtaskFinished, ToolCalled
from domain.money import NanoUsd
from domain.subtask_result import Asks, Stopped, StopReason
from tests.domain.sample_facts import FACTS

HOSTILE = "\x1b]0;title\x07\x1b[2J<b>\u202egnp.exe\r\n[red]"


def _event(fact: Fact, seq: int = 1) -> Event:
    return Event(task_id="t", seq=seq, key=str(seq), at=datetime(2026, 1, 2, tzinfo=UTC), fact=fact)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_every_fact_is_one_line_or_none(fact: Fact) -> None:
    line = describe(_event(fact))
    assert line is None or (line and "\n" not in line)


def test_what_a_person_needs_to_know_is_shown() -> None:
    asks = SubtaskFinished(subtask_id="a", result=Asks(question="which one?", commit="c", steps=1))
    stopped = SubtaskFinished(
        subtask_id="a", result=Stopped(reason=StopReason.STUCK, detail="again", commit="c", steps=1)
    )
    lost = SandboxFailed(subtask_id="a", verdict=Verdict.INFRASTRUCTURE, message="gone")
    assert describe(_event(asks)) == "a: asks: which one?"
    assert describe(_event(stopped)) == "a: stopped (stuck): again"
    assert describe(_event(lost)) == "a: the sandbox failed: gone"


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


def test_totals_add_up_and_an_unknown_price_is_said() -> None:
    totals = Totals()
    usage = Usage(input_tokens=10, output_tokens=5)
    for priced in (True, False):
        called = ModelCalled(subtask_id="a", model="m", usage=usage, cost=NanoUsd(7), priced=priced, latency_s=1.0)
        totals.see(_event(called))
    assert totals.usage.total_tokens == 30
    assert totals.cost == 14
    assert totals.cost_text() == "price unknown"
