"""A question of a specialist: written down, waited for, answered once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.journal import MemoryJournal
from app.settings import Settings
from app.store import Store, open_store
from director.approval import TaskApprover, answer_key, topic_of
from domain.approval import ApprovalAnswer, ApprovalQuestion
from domain.events import Event, QuestionAnswered, QuestionAsked, TaskSubmitted
from domain.journal import Journal
from tests.domain.sample_facts import spec

QUESTION = ApprovalQuestion(actor="code specialist", task_id="t1", subtask_id="code", tool="shell", summary="{}")
YES = ApprovalAnswer(approved=True, note="go on")


@contextlib.asynccontextmanager
async def asking(
    folder: Path, journal: Journal, patience_s: float = 60, left_s: float = 3600
) -> AsyncIterator[tuple[TaskApprover, Store]]:
    async with open_store(Settings(soundstage_home=folder)) as store:
        await store.log.append("t1", "submitted", TaskSubmitted(spec=spec("t1")))
        deadline = datetime.now(UTC) + timedelta(seconds=left_s)
        yield TaskApprover(store.log, journal, "code:1:1", patience_s, deadline), store


async def facts(store: Store) -> list[object]:
    return [event.fact for event in await store.log.read("t1", after=1)]


async def test_questions_are_numbered_and_wait_for_their_own_answers(tmp_path: Path) -> None:
    journal = MemoryJournal("t1")
    async with asking(tmp_path, journal.child("code")) as (approver, store):
        journal.send(topic_of("code:1:1:2"), ApprovalAnswer(approved=False, note="not that").model_dump_json())
        journal.send(topic_of("code:1:1:1"), YES.model_dump_json())
        assert await approver.ask(QUESTION) == YES
        assert await approver.ask(QUESTION) == ApprovalAnswer(approved=False, note="not that")
        asked = [fact for fact in await facts(store) if isinstance(fact, QuestionAsked)]
        assert [fact.question_id for fact in asked] == ["code:1:1:1", "code:1:1:2"]
        assert (asked[0].tool, asked[0].subtask_id, asked[0].patience_s) == ("shell", "code", 60)


async def test_where_nobody_answers_in_time_it_is_refused_and_says_so(tmp_path: Path) -> None:
    async with asking(tmp_path, MemoryJournal("t1"), patience_s=0.01) as (approver, store):
        answer = await approver.ask(QUESTION)
        assert (answer.approved, answer.note) == (False, "nobody answered in 0.01 s")
        late = (await facts(store))[-1]
        assert isinstance(late, QuestionAnswered)
        assert (late.approved, late.by, late.note) == (False, "", answer.note)


@pytest.mark.parametrize("left_s", [0.01, -5])
async def test_where_the_time_of_the_task_is_up_first_it_is_refused_and_says_so(left_s: float, tmp_path: Path) -> None:
    async with asking(tmp_path, MemoryJournal("t1"), left_s=left_s) as (approver, store):
        answer = await approver.ask(QUESTION)
        assert (answer.approved, answer.note) == (False, "nobody answered before the time was up")
        asked, late = await facts(store)
        assert isinstance(asked, QuestionAsked)
        assert 0 <= asked.patience_s <= max(0, left_s)
        assert isinstance(late, QuestionAnswered)
        assert late.note == answer.note


async def test_an_answer_at_the_last_moment_counts_and_not_the_time_limit(tmp_path: Path) -> None:
    async with asking(tmp_path, MemoryJournal("t1"), patience_s=0.01) as (approver, store):
        answered = QuestionAnswered(subtask_id="code", question_id="code:1:1:1", approved=True, by="ann", note="go on")
        await store.log.append("t1", answer_key("code:1:1:1"), answered)
        assert await approver.ask(QUESTION) == YES


async def test_whoever_is_cancelled_while_asking_leaves_the_question_without_an_answer(tmp_path: Path) -> None:
    async with asking(tmp_path, MemoryJournal("t1")) as (approver, store):
        waiting = asyncio.create_task(approver.ask(QUESTION))
        event: Event = await anext(store.log.follow("t1", after=1))
        assert isinstance(event.fact, QuestionAsked)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
        assert len(await facts(store)) == 1
