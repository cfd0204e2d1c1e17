"""Replies that are repaired, corrected, or asked for in plain text, and how that is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.journal import MemoryJournal
from app.reply_counts import count_replies
from domain.catalogue import Capability, Catalogue, ModelInfo
from domain.errors import ModelRequestRejected
from domain.events import ModelCalled, PlainTextChosen, ReplyCorrected, ReplyRepaired, ToolCalled
from domain.replies import PlainTextReason, ReplyProblem
from domain.subtask_result import Submitted
from gateway.knowledge import Knowledge
from gateway.scripted import Line, Scene, ScriptedProvider
from specialists.loop import Loop
from specialists.role_files import role
from specialists.surroundings import Surroundings
from tests.gateway.house import single
from tests.specialists.desk import TASK, TEXT_MODE, Desk, assignment_of, call, open_desk, script

SUBMIT = call("submit", summary="done")
FILE = "```file path=calc.py\nx = 1\n```"


def raw(name: str, arguments: str) -> Line:
    return Line(calls=((name, arguments),))


def known(*capabilities: Capability) -> Knowledge:
    model = ModelInfo(provider="scripted", id="scripted", capabilities=frozenset(capabilities), known=True)
    return Knowledge(catalogue=Catalogue((model,), lambda *_: None))


async def work_with(desk: Desk, model: ScriptedProvider, knowledge: Knowledge, records: dict[str, bytes]) -> Any:
    gateway = single(model, desk.store.ledger, knowledge=knowledge)
    around = Surroundings(gateway, desk.place.client, MemoryJournal(TASK, records), desk.store.log)
    return await Loop(role("code"), assignment_of(), around).run()


async def test_a_model_that_calls_no_tools_is_spoken_to_in_plain_text_from_the_start(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(SUBMIT, text=(FILE, "SUBMIT: written"))
        records: dict[str, bytes] = {}
        result = await work_with(desk, model, known(), records)
        assert result.summary == "written"
        assert all(TEXT_MODE in request.messages[0].content and not request.tools for request in model.requests)
        assert [fact.reason for fact in await desk.facts(PlainTextChosen)] == [PlainTextReason.CATALOGUE]
        # A replay goes the same way, whatever the catalogue says by then.
        assert await work_with(desk, ScriptedProvider(()), known(Capability.TOOLS), records) == result


async def test_a_model_that_calls_tools_is_offered_them(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(SUBMIT)
        assert isinstance(await work_with(desk, model, known(Capability.TOOLS), {}), Submitted)
        assert model.requests[0].tools
        assert await desk.facts(PlainTextChosen) == []


@pytest.mark.parametrize(
    ("line", "how"),
    [
        (raw("write_file", '{"path": "calc.py", "content": "x = 1\n",}'), "arguments that were no JSON"),
        (raw("functions.WriteFile", json.dumps({"path": "calc.py", "content": "x = 1\n"})), "the name"),
        (Line(text='{"name": "write_file", "arguments": {"path": "calc.py", "content": "x = 1\\n"}}'), "as text"),
    ],
)
async def test_a_repaired_call_is_made_and_told(line: Line, how: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert isinstance(await desk.work(script(line, SUBMIT)), Submitted)
        assert (await desk.place.branch())["calc.py"].content == b"x = 1\n"
        (repaired,) = await desk.facts(ReplyRepaired)
        assert len(repaired.repairs) == 1
        assert repaired.repairs[0].startswith("write_file: ")
        assert how in repaired.repairs[0]
        assert await desk.facts(ReplyCorrected) == []


WRONG = {
    "a field is missing": (
        call("write_file", path="calc.py"),
        ReplyProblem.ARGUMENTS_NOT_VALID,
        ["content: Field required", '"the whole content of the file"', "A valid example: {"],
    ),
    "a field of another name": (
        call("shell", cmd="ls"),
        ReplyProblem.ARGUMENTS_NOT_VALID,
        ["command: Field required", "cmd: Extra inputs", "Did you mean command?"],
    ),
    "no such tool": (
        call("create_file", path="a", content=""),
        ReplyProblem.UNKNOWN_TOOL,
        ["does not exist", "Did you mean write_file"],
    ),
    "another tool of that meaning": (call("bash", command="ls"), ReplyProblem.UNKNOWN_TOOL, ["Did you mean shell?"]),
    "no JSON": (
        raw("write_file", "calc.py, x = 1"),
        ReplyProblem.ARGUMENTS_NOT_JSON,
        ["write_file was not called", '{"path": "app.py", "content":'],
    ),
    "JSON that breaks off": (
        raw("write_file", '{"path": "calc.py", "content": "x = 1\\ny ='),
        ReplyProblem.ARGUMENTS_NOT_JSON,
        ["break off"],
    ),
}


@pytest.mark.parametrize(("line", "problem", "said"), WRONG.values(), ids=WRONG)
async def test_a_wrong_call_is_answered_with_what_is_wrong_and_does_nothing(
    line: Line, problem: ReplyProblem, said: list[str], tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as desk:
        model = script(line, SUBMIT)
        assert isinstance(await desk.work(model), Submitted)
        answer = model.requests[1].messages[-1].content
        assert all(part in answer for part in said)
        assert await desk.place.branch() == {}
        (corrected,) = await desk.facts(ReplyCorrected)
        assert (corrected.problems, corrected.malformed) == ((problem,), True)
        assert corrected.text == answer


async def test_a_path_that_is_refused_is_no_malformed_reply(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        outside = [call("read_file", path=f"../{at}") for at in range(4)]
        model = script(*outside, SUBMIT)
        assert isinstance(await desk.work(model), Submitted)
        assert await desk.facts(ReplyCorrected) == []
        assert all(request.tools for request in model.requests)


async def test_one_good_call_of_several_makes_a_reply_that_is_not_malformed(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        both = Line(calls=(("shell", '{"command": "true"}'), ("shell", "{}"), ("nothing", "{}")))
        assert isinstance(await desk.work(script(both, both, both, SUBMIT)), Submitted)
        facts = await desk.facts(ReplyCorrected)
        assert [fact.malformed for fact in facts] == [False] * 3
        assert facts[0].problems == (ReplyProblem.ARGUMENTS_NOT_VALID, ReplyProblem.UNKNOWN_TOOL)


async def test_calls_that_break_the_schema_again_and_again_lead_to_plain_text(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        wrong = [call("shell", cmd=str(at)) for at in range(3)]
        model = script(*wrong, text=(FILE, "SUBMIT: written"))
        assert isinstance(await desk.work(model), Submitted)
        assert [fact.reason for fact in await desk.facts(PlainTextChosen)] == [PlainTextReason.MALFORMED]
        assert len(await desk.facts(ToolCalled)) == 5


async def test_a_refusal_of_tools_is_told_as_such(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        scenes = (Scene(when=(TEXT_MODE,), lines=(Line(text="SUBMIT: written"),)),)
        await desk.work(ScriptedProvider(scenes, faults=[ModelRequestRejected("no tools here")]))
        assert [fact.reason for fact in await desk.facts(PlainTextChosen)] == [PlainTextReason.REFUSED]


async def test_the_counts_of_a_subtask_are_those_of_its_events(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        lines = [raw("shell", '{"command": "true",}'), call("shell"), Line(text="Hm."), Line(text="Well.")]
        await desk.work(script(*lines, text=("I think.", "```sh\ntrue\n```", "SUBMIT: ok")))
        counts = count_replies(await desk.store.log.read(TASK))
        assert list(counts) == ["code"]
        assert counts["code"].line() == (
            "1 repaired calls, 4 malformed replies, 4 corrections, plain text, since its tool calls were malformed"
        )
        assert len(await desk.facts(ModelCalled)) == 7


async def test_a_replay_tells_nothing_twice(tmp_path: Path) -> None:
    records: dict[str, bytes] = {}
    async with open_desk(tmp_path) as desk:
        first = await desk.work(script(call("shell"), raw("shell", '{"command": "true",}'), SUBMIT), records)
        assert await desk.work(ScriptedProvider(()), records) == first
        assert (len(await desk.facts(ReplyCorrected)), len(await desk.facts(ReplyRepaired))) == (1, 1)
