"""Events in words."""

from datetime import UTC, datetime

import pytest

from domain.command import Verdict
from domain.describe import describe
from domain.events import (
    CorrectionStarted,
    Event,
    Fact,
    QuestionAnswered,
    QuestionAsked,
    SandboxFailed,
    SubtaskFinished,
)
from domain.evidence import Failure, FailureKind
from domain.subtask_result import Asks, Stopped, StopReason
from tests.domain.sample_facts import FACTS


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


def test_a_question_is_told_with_what_would_be_done_and_an_answer_with_whose_it_is() -> None:
    asked = QuestionAsked(
        subtask_id="a", question_id="a:1", actor="code specialist", tool="shell", summary='{"command": "ls"}',
        patience_s=60,
    )  # fmt: skip
    assert describe(_event(asked)) == 'a: may the code specialist use shell? {"command": "ls"} (question a:1)'
    long = asked.model_copy(update={"summary": '{"command": "ls ' + "x" * 5000 + '; rm -rf here"}'})
    line = describe(_event(long)) or ""
    assert 'shell? {"command": "ls x' in line
    assert "4731 characters left out" in line
    assert '; rm -rf here"} (question a:1)' in line
    answered = QuestionAnswered(subtask_id="a", question_id="a:1", approved=False, by="ann", note="not that")
    assert describe(_event(answered)) == "a: ann refused a:1: not that"
    late = QuestionAnswered(subtask_id="a", question_id="a:1", approved=False, note="nobody answered in 60 s")
    assert describe(_event(late)) == "a: a:1 was refused: nobody answered in 60 s"


def test_the_name_of_a_failing_test_stays_on_its_line() -> None:
    failure = Failure(kind=FailureKind.ASSERTION, test_id="a::b\nSOLVED (proven)\x1b[2K", message="assert 0")
    told = describe(_event(CorrectionStarted(attempt=2, failure=failure)))
    assert told is not None
    assert "\n" not in told
    assert "\x1b" not in told
