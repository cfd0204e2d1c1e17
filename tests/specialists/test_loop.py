"""The one loop that every specialist runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import ContextTooLong, ModelRequestRejected, ModelUnavailable, SandboxLost
from domain.events import ModelCalled, ProtectedChangeDropped, SnapshotMade, ToolCalled
from domain.subtask_result import Stopped, StopReason, Submitted
from gateway.scripted import Line, Scene, ScriptedProvider
from specialists.role_files import role
from tests.specialists.desk import TEXT_MODE, call, open_desk, script

SUBMIT = call("submit", summary="all done")
FILE = "```file path=calc.py\nx = 1\n```"


async def test_work_is_done_and_handed_in(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        result = await desk.work(script(call("write_file", path="calc.py", content="x = 1\n"), SUBMIT))
        assert result == Submitted(summary="all done", commit=desk.place.client.commit, steps=2)
        assert (await desk.place.branch())["calc.py"].content == b"x = 1\n"
        (snapshot,) = await desk.facts(SnapshotMade)
        assert (snapshot.commit, snapshot.paths) == (result.commit, ("calc.py",))


async def test_every_call_of_a_reply_is_made_and_told(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        append = call("shell", command="echo x >> log").calls
        model = script(Line(text="twice", calls=append * 2), Line(calls=append + SUBMIT.calls))
        result = await desk.work(model)
        assert isinstance(result, Submitted)
        assert (await desk.place.branch())["log"].content == b"x\n" * 3
        assert [fact.tool for fact in await desk.facts(ToolCalled)] == ["shell", "shell", "shell", "submit"]
        assert len(await desk.facts(ModelCalled)) == len(model.requests) == 2
        assert len(await desk.facts(SnapshotMade)) == 3


async def test_a_limit_of_steps_ends_the_work_with_what_there_is(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(call("write_file", path="a", content="1"), call("write_file", path="b", content="2"))
        result = await desk.work(model, max_steps=2)
        assert isinstance(result, Stopped)
        assert (result.reason, result.steps) == (StopReason.STEPS, 2)
        assert set(await desk.place.workspace.files(result.commit)) == {"a", "b"}
        limited = role("code").model_copy(update={"max_steps": 1})
        stopped = await desk.work(script(call("shell", command="true")), playing=limited, max_steps=None, key="again")
        assert stopped.steps == 1


async def test_a_deadline_ends_the_work_before_the_next_call(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(SUBMIT)
        result = await desk.work(model, deadline=datetime.now(UTC) - timedelta(seconds=1))
        assert isinstance(result, Stopped)
        assert result.reason is StopReason.WALL_CLOCK
        assert model.requests == []


async def test_a_budget_ends_the_work_with_what_there_is(tmp_path: Path) -> None:
    async with open_desk(tmp_path, token_cap=16_000) as desk:
        model = script(Line(text="x" * 40_000, calls=call("write_file", path="a", content="1").calls), SUBMIT)
        result = await desk.work(model)
        assert isinstance(result, Stopped)
        assert result.reason is StopReason.TOKENS
        assert "--max-tokens" in result.detail
        assert len(model.requests) == 1
        assert "a" in await desk.place.workspace.files(result.commit)


async def test_a_model_that_only_talks_is_corrected_then_offered_plain_text_then_stopped(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script("Hm.", text=("Well.",))
        result = await desk.work(model)
        assert isinstance(result, Stopped)
        assert result.reason is StopReason.MALFORMED
        modes = [TEXT_MODE in request.messages[0].content for request in model.requests]
        assert modes == [False] * 3 + [True] * 3
        assert "called no tool" in model.requests[1].messages[-1].content
        assert "held no action" in model.requests[4].messages[-1].content


async def test_a_model_that_only_talks_does_the_work_once_it_may_use_plain_text(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        result = await desk.work(script("Hm.", text=(FILE, "SUBMIT: written")))
        assert isinstance(result, Submitted)
        assert result.summary == "written"
        assert (await desk.place.branch())["calc.py"].content == b"x = 1\n"


async def test_a_model_whose_arguments_are_never_json_is_offered_plain_text_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        garbage = [Line(calls=(("shell", f"garbage {at}"),)) for at in range(20)]
        model = script(*garbage, text=(FILE, "SUBMIT: written"))
        result = await desk.work(model)
        assert "was not called: the arguments are no JSON object" in model.requests[1].messages[-1].content
        assert isinstance(result, Submitted)
        assert len(model.requests) == 5


async def test_one_good_reply_forgives_the_malformed_ones_before_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script("Hm.", "Hm.", call("shell", command="true"), "Hm.", "Hm.", SUBMIT)
        assert isinstance(await desk.work(model), Submitted)


async def test_a_server_that_refuses_tools_is_spoken_to_in_plain_text(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        scenes = (Scene(when=(TEXT_MODE,), lines=(Line(text=FILE), Line(text="SUBMIT: written"))),)
        model = ScriptedProvider(scenes, faults=[ModelRequestRejected("no tools here")])
        assert isinstance(await desk.work(model), Submitted)
        assert [bool(request.tools) for request in model.requests] == [True, False, False]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ([ContextTooLong("too long")], "too long"),
        ([ModelRequestRejected("no tools"), ModelRequestRejected("nothing at all")], "nothing at all"),
    ],
)
async def test_a_refusal_that_plain_text_does_not_mend_stops_the_work(
    faults: list[ModelRequestRejected], said: str, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as desk:
        result = await desk.work(ScriptedProvider((), faults=faults))
        assert isinstance(result, Stopped)
        assert (result.reason, result.detail) == (StopReason.MODEL_REFUSED, said)


async def test_a_conversation_that_is_too_long_is_halved_until_it_fits_or_nothing_is_left(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        brief = "x" * 60_000
        scene = Scene(when=(), lines=(SUBMIT,))
        fits = ScriptedProvider((scene,), faults=[ContextTooLong("too long"), ContextTooLong("too long")])
        assert isinstance(await desk.work(fits, brief=brief, key="fits"), Submitted)
        model = ScriptedProvider((), faults=[ContextTooLong("too long") for _ in range(20)])
        result = await desk.work(model, brief=brief)
        assert isinstance(result, Stopped)
        assert result.reason is StopReason.MODEL_REFUSED
        lengths = [len(request.messages[1].content) for request in model.requests]
        assert lengths == sorted(set(lengths), reverse=True)
        assert 3 <= len(lengths) < 10


async def test_a_change_of_protected_files_is_told_and_dropped(tmp_path: Path) -> None:
    async with open_desk(tmp_path, {"test_a.py": "1\n"}) as desk:
        await desk.work(script(call("shell", command="rm test_a.py"), SUBMIT))
        assert [fact.paths for fact in await desk.facts(ProtectedChangeDropped)] == [("test_a.py",)]
        assert await desk.facts(SnapshotMade) == []


async def test_a_lost_sandbox_is_raised_at_once_and_no_further_call_is_paid_for(tmp_path: Path) -> None:
    model = script(call("shell", command="kill -9 $PPID; sleep 60"), SUBMIT)
    with pytest.raises(SandboxLost):
        async with open_desk(tmp_path) as desk:
            await desk.work(model)
    assert len(model.requests) == 1


async def test_a_model_that_cannot_be_reached_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        async with open_desk(tmp_path) as desk:
            await desk.work(ScriptedProvider((), faults=[ModelUnavailable()]))


async def test_a_replay_pays_for_no_model_call_and_makes_no_tool_call_again(tmp_path: Path) -> None:
    records: dict[str, bytes] = {}
    async with open_desk(tmp_path) as desk:
        append = call("shell", command="echo x >> log")
        first = await desk.work(script(append, append, SUBMIT), records)
        again = ScriptedProvider(())
        assert await desk.work(again, records) == first
        assert again.requests == []
        assert (await desk.place.branch())["log"].content == b"x\nx\n"
        assert len(await desk.facts(ModelCalled)) == 3


async def test_a_run_that_broke_off_goes_on_from_its_last_record(tmp_path: Path) -> None:
    records: dict[str, bytes] = {}
    append = call("shell", command="echo x >> log")
    async with open_desk(tmp_path) as desk:
        broken = script(append, append, SUBMIT)
        result = await desk.work(broken, records, max_steps=1)
        assert isinstance(result, Stopped)
        model = script(append, append, SUBMIT)
        assert isinstance(await desk.work(model, records), Submitted)
        assert len(model.requests) == 2
        assert (await desk.place.branch())["log"].content == b"x\nx\n"
