"""What is done about a specialist that makes no progress, and what is handed over whatever happens."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.chat import Delta, ModelReply, ModelRequest
from domain.events import ModelCalled, ToolCalled
from domain.setbacks import RolledBack
from domain.subtask_result import Stopped, StopReason, Submitted
from domain.test_outcome import TestOutcome
from gateway.scripted import Line, ScriptedProvider
from specialists.ladder import nudge
from specialists.role_files import role
from specialists.standing import HandsOver
from specialists.stuck import Circle, Stuck
from tests.specialists.desk import Desk, call, open_desk, script

SUBMIT = call("submit", summary="all done")
RUN = call("run_tests")
SAME = call("shell", command="echo same")
TESTS = "import calc\n\n\ndef test_one():\n    assert calc.x > 0\n\n\ndef test_two():\n    assert calc.x > 1\n"
FILES = {"calc.py": "x = 0\n", "test_calc.py": TESTS}
HEARD = SAME
"""Is never said: where the user speaks between two steps, a reply stands before that in the history, and is counted."""
HALF, NONE = "x = 1\n", "x = -1\n"


def write(content: str, path: str = "calc.py") -> Line:
    return call("write_file", path=path, content=content)


def heard(model: ScriptedProvider) -> list[str]:
    """What each request said last."""
    return [request.messages[-1].content for request in model.requests]


async def handed(desk: Desk, commit: str) -> str:
    """The file that the commit, the branch and the sandbox have, after a check that it is one."""
    tree = await desk.place.tree()
    assert await desk.place.workspace.files(commit) == tree
    return tree["calc.py"].content.decode()


async def test_a_word_says_what_repeats_and_what_to_try_and_then_it_is_the_end(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(SAME)
        result = await desk.work(model)
        assert isinstance(result, Stopped)
        assert (result.reason, result.steps) == (StopReason.STUCK, 5)
        assert "echo same" in result.detail
        told = ['shell {"command": "echo same"} was called 4 times' in text for text in heard(model)]
        assert told == [False] * 4 + [True]
        assert "run the tests" in heard(model)[4]


async def test_a_call_that_fails_in_the_same_way_is_noticed_sooner(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        result = await desk.work(script(call("shell", command="false")))
        assert isinstance(result, Stopped)
        assert (result.reason, result.steps) == (StopReason.STUCK, 4)


async def test_whoever_is_still_stuck_goes_back_to_the_best_snapshot_and_is_told_so(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = script(write(HALF), RUN, write(NONE), RUN, *[SAME] * 4, HEARD, SAME, HEARD, write("x = 2\n"), SUBMIT)
        result = await desk.work(model)
        assert isinstance(result, Submitted)
        assert await handed(desk, result.commit) == "x = 2\n"
        (back,) = await desk.facts(RolledBack)
        assert (back.tests.passed, back.tests.failing) == (1, ("test_calc.py::test_two",))
        assert back.paths == ("calc.py",)
        assert await desk.place.workspace.file(back.commit, "calc.py") != await desk.place.workspace.file(
            back.abandoned, "calc.py"
        )
        said = heard(model)[9]
        assert "1 of 2 tests passed" in said
        assert "Undone since then: calc.py" in said
        assert "test_calc.py::test_two" in said


async def test_whoever_is_stuck_once_more_after_that_is_stopped_with_the_best_snapshot(tmp_path: Path) -> None:
    records: dict[str, bytes] = {}
    async with open_desk(tmp_path, FILES) as desk:
        model = script(write(HALF), RUN, write(NONE), RUN, SAME)
        result = await desk.work(model, records)
        assert isinstance(result, Stopped)
        assert (result.reason, result.steps) == (StopReason.STUCK, 13)
        assert await handed(desk, result.commit) == HALF
        events = await desk.store.log.read("task-1")
        again = ScriptedProvider(())
        assert await desk.work(again, records) == result
        assert await desk.store.log.read("task-1") == events


async def test_tests_that_show_more_than_ever_make_a_new_start(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        better = [write(HALF), RUN, *[SAME] * 4, HEARD, write("x = 2\n"), RUN, *[SAME] * 4, HEARD]
        model = script(*better, SUBMIT)
        assert isinstance(await desk.work(model), Submitted)
        assert sum("You make no progress" in text for text in heard(model)) == 2


async def test_work_that_is_stopped_is_handed_over_at_its_best_by_tests_that_are_run_for_that(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        result = await desk.work(script(write(HALF), RUN, write(NONE)), max_steps=3)
        assert isinstance(result, Stopped)
        assert result.reason is StopReason.STEPS
        assert await handed(desk, result.commit) == HALF
        assert [fact.tool for fact in await desk.facts(ToolCalled)] == [
            "write_file",
            "run_tests",
            "write_file",
            "run_tests",
        ]
        better = await desk.work(script(RUN, write("x = 2\n")), max_steps=2, key="again")
        assert await handed(desk, better.commit) == "x = 2\n"


async def test_work_that_no_test_ever_saw_is_handed_over_as_it_is(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        result = await desk.work(script(write(HALF), write(NONE)), max_steps=2)
        assert await handed(desk, result.commit) == NONE
        assert await desk.facts(RolledBack) == []


async def test_work_that_became_worse_is_taken_only_when_it_is_submitted_once_more(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = script(write(HALF), RUN, write(NONE), SUBMIT, HEARD, SUBMIT)
        result = await desk.work(model)
        assert isinstance(result, Submitted)
        assert result.steps == 5
        assert await handed(desk, result.commit) == NONE
        assert "not handed in yet" in heard(model)[4]
        assert "test_calc.py::test_one" in heard(model)[4]


async def test_work_that_stands_as_well_as_ever_is_taken_at_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        result = await desk.work(script(write(HALF), RUN, write("x = 1  # one\n"), SUBMIT))
        assert isinstance(result, Submitted)
        assert result.steps == 4


async def test_new_tests_that_fail_are_no_reason_to_go_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES, playing="test") as desk:
        more = "def test_three():\n    assert False\n"
        model = script(RUN, write(more, "test_more.py"), RUN, SUBMIT)
        result = await desk.work(model, playing=role("test"))
        assert isinstance(result, Submitted)
        assert "test_more.py" in await desk.place.workspace.files(result.commit)


class Silent(ScriptedProvider):
    """Says its lines, and then waits for ever."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        if len(self.requests) == len(self.scenes[0].lines):
            self.requests.append(request)
            await asyncio.Event().wait()
        async for piece in super().stream(request):
            yield piece


async def test_a_model_that_is_not_done_at_the_deadline_is_left_and_nothing_is_lost(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = Silent(script(write(HALF)).scenes[1:])
        records: dict[str, bytes] = {}
        deadline = datetime.now(UTC) + timedelta(seconds=2)
        result = await desk.work(model, records, deadline=deadline)
        assert isinstance(result, Stopped)
        assert (result.reason, result.steps) == (StopReason.WALL_CLOCK, 2)
        assert await handed(desk, result.commit) == HALF
        assert len(await desk.facts(ModelCalled)) == 1
        assert await desk.work(ScriptedProvider(()), records, deadline=deadline) == result


async def test_a_command_that_is_not_done_at_the_deadline_is_ended_and_its_files_are_kept(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = script(call("shell", command="echo 'x = 1' > calc.py; sleep 100", timeout_s=100))
        result = await desk.work(model, deadline=datetime.now(UTC) + timedelta(seconds=2))
        assert isinstance(result, Stopped)
        assert (result.reason, result.steps) == (StopReason.WALL_CLOCK, 1)
        assert await handed(desk, result.commit) == HALF


@pytest.mark.parametrize(
    ("stuck", "tests", "hands_over", "said"),
    [
        (Stuck(Circle.SAME_ERROR, 3, ("shell x",)), None, HandsOver.CODE, ["shell x failed 3 times", "last error"]),
        (Stuck(Circle.ALTERNATING, 6, ("a", "b")), None, HandsOver.CODE, ["to and fro between a and b"]),
        (Stuck(Circle.IDLE, 12), TestOutcome(failing=("t::one",)), HandsOver.CODE, ["12 steps", "failing: t::one"]),
        (Stuck(Circle.IDLE, 12), TestOutcome(failing=("t::one",)), HandsOver.TESTS, ["submit"]),
        (Stuck(Circle.IDLE, 12), TestOutcome(errors=1), HandsOver.TESTS, ["cannot run"]),
        (Stuck(Circle.IDLE, 12), None, HandsOver.FINDINGS, ["Report what you have found"]),
    ],
)  # fmt: skip
def test_a_word_fits_the_circle_and_the_role(
    stuck: Stuck, tests: TestOutcome | None, hands_over: HandsOver, said: list[str]
) -> None:
    told = nudge(stuck, tests, hands_over)
    assert all(part in told for part in said)
