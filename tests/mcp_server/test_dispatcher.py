"""What every call passes: the check, the question, the deadline, the audit log."""

import asyncio
from pathlib import Path

import pytest
from mcp.types import BlobResourceContents, ContentBlock, EmbeddedResource, ImageContent, TextContent
from pydantic import BaseModel

from domain.approval import ApprovalAnswer, ApprovalPolicy, ApprovalQuestion
from domain.audit import AuditVerdict
from domain.errors import InfrastructureError, ModelRequestRejected, SandboxLost
from mcp_server.answers import Answers
from mcp_server.caller import Caller, Permission
from mcp_server.dispatcher import MOST_ASKED, Dispatcher
from mcp_server.protection import Protection
from mcp_server.registry import Registry
from mcp_server.server import as_result
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from tests.mcp_server.place import Ears, caller, open_place


class Desk:
    """A session without a place."""

    def __init__(self, who: Caller | None = None) -> None:
        self.caller = who or caller()
        self.failure: InfrastructureError | None = None
        self.dropped: tuple[str, ...] = ()
        self.answers = Answers(100)

    async def keep(self, text: str) -> str | None:
        return self.answers.keep(text)


class Nothing(BaseModel):
    pass


class Person:
    """Says the same to every question, and remembers them."""

    def __init__(self, approved: bool, note: str = "") -> None:
        self.answer = ApprovalAnswer(approved=approved, note=note)
        self.asked: list[ApprovalQuestion] = []

    async def ask(self, question: ApprovalQuestion) -> ApprovalAnswer:
        self.asked.append(question)
        return self.answer


def tool(end: ToolOutcome | BaseException | float, limits: ToolLimits | None = None) -> Tool[Desk, Nothing]:
    """A tool that ends so, or takes so many seconds."""

    async def handle(_session: Desk, _arguments: Nothing) -> ToolOutcome:
        if isinstance(end, BaseException):
            raise end
        if isinstance(end, float):
            await asyncio.sleep(end)
            return ToolOutcome(text="late")
        return end

    return Tool(
        name="act", description="acts", session=Desk, arguments=Nothing, permission=Permission.READ, handler=handle,
        example={}, limits=limits or ToolLimits(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("end", "text", "verdict"),
    [
        (ToolOutcome(text="done"), "done", AuditVerdict.DONE),
        (ToolOutcome(text="not done", ok=False), "not done", AuditVerdict.FAILED),
        (ToolRefused("not so"), "not so", AuditVerdict.REFUSED),
        (SandboxLost("gone"), "gone", AuditVerdict.FAILED),
        (ModelRequestRejected("no"), "no", AuditVerdict.FAILED),
        (60.0, "took over 0 s", AuditVerdict.FAILED),
    ],
)
async def test_however_a_call_ends_there_is_an_answer_and_one_entry(
    end: ToolOutcome | BaseException | float, text: str, verdict: AuditVerdict
) -> None:
    audit, desk = Ears(), Desk()

    outcome = await Dispatcher(Registry([tool(end, ToolLimits(timeout_s=0.05))]), audit).call(desk, "act", {})

    assert text in outcome.text
    assert outcome.ok == (verdict is AuditVerdict.DONE)
    assert (desk.failure is not None) == isinstance(end, SandboxLost)
    (entry,) = audit.heard
    assert (entry.actor, entry.task_id, entry.subtask_id, entry.tool) == ("test", "task", "one", "act")
    assert (entry.verdict, entry.size) == (verdict, len(outcome.text))
    assert (entry.reason == "") == (verdict is AuditVerdict.DONE)


async def test_an_error_that_nobody_expected_is_an_answer_and_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    audit, desk = Ears(), Desk()

    outcome = await Dispatcher(Registry([tool(KeyError("a secret"))]), audit).call(desk, "act", {})

    assert not outcome.ok
    assert "a secret" not in outcome.text
    (entry,) = audit.heard
    assert (entry.verdict, entry.reason) == (AuditVerdict.FAILED, "KeyError")
    (reported,) = caplog.records
    assert "act" in reported.getMessage()
    assert reported.exc_info is not None
    assert reported.exc_info[0] is KeyError


async def test_a_change_that_was_undone_is_named_in_the_log(tmp_path: Path) -> None:
    protection = Protection(kept=frozenset({"tests/test_a.py"}))
    async with open_place(tmp_path, {"tests/test_a.py": "1"}, protection) as place:
        await place.call("shell", command="echo > tests/test_a.py")
        await place.call("shell", command="true")
        await place.call("write_file", path="tests/test_a.py", content="2")

    undone, fine, refused = place.audit.heard
    assert (undone.verdict, undone.reason) == (AuditVerdict.DONE, "undone, because protected: tests/test_a.py")
    assert (fine.verdict, fine.reason) == (AuditVerdict.DONE, "")
    assert refused.verdict is AuditVerdict.REFUSED
    assert refused.reason.startswith("tests/test_a.py is protected")


async def test_a_call_whose_caller_goes_away_is_in_the_log_too() -> None:
    audit = Ears()
    calling = asyncio.create_task(Dispatcher(Registry([tool(60.0)]), audit).call(Desk(), "act", {}))
    await asyncio.sleep(0.01)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

    assert [entry.verdict for entry in audit.heard] == [AuditVerdict.CANCELLED]


async def test_a_refused_call_is_in_the_log_and_a_tool_of_another_kind_of_session_is_refused(tmp_path: Path) -> None:
    audit = Ears()
    nobody = Desk(caller(frozenset()))
    await Dispatcher(Registry([tool(1.0)]), audit).call(nobody, "act", {})
    async with open_place(tmp_path) as place:
        outcome = await Dispatcher(Registry([tool(1.0)]), audit).call(place.session, "act", {})

    assert "is not for your role" in outcome.text
    assert [(entry.tool, entry.verdict) for entry in audit.heard] == [("act", AuditVerdict.REFUSED)] * 2


COMMANDS = (
    ("read_file", {"path": "a"}),
    ("shell", {"command": "echo hello"}),
    ("write_file", {"path": "b", "content": "x"}),
)


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        (ApprovalPolicy.AUTO, []),
        (ApprovalPolicy.DESTRUCTIVE, ["shell", "write_file"]),
        (ApprovalPolicy.ALWAYS, ["read_file", "shell", "write_file"]),
    ],
)
async def test_a_person_is_asked_what_the_policy_says(tmp_path: Path, policy: ApprovalPolicy, asked: list[str]) -> None:
    person = Person(approved=True)
    async with open_place(tmp_path, {"a": "1"}, approval=policy, approver=person) as place:
        observations = [await place.client.call(name, arguments) for name, arguments in COMMANDS]

    assert all(observation.ok for observation in observations)
    assert [question.tool for question in person.asked] == asked
    assert all(question.summary and question.actor == "test" for question in person.asked)


async def test_a_person_is_asked_about_the_whole_call_with_its_command_first(tmp_path: Path) -> None:
    person = Person(approved=False)
    async with open_place(tmp_path, {"a": "1"}, approval=ApprovalPolicy.DESTRUCTIVE, approver=person) as place:
        await place.call("shell", timeout_s=5, command=f"echo harmless # {'a note. ' * 200}\nrm a")

    (question,) = person.asked
    assert question.summary.startswith('{"command": "echo harmless # a note.')
    assert "\\nrm a" in question.summary


@pytest.mark.parametrize(("spare", "asked"), [(0, True), (1, False)])
async def test_a_call_too_long_to_be_judged_is_refused_and_nobody_is_asked(
    tmp_path: Path, spare: int, asked: bool
) -> None:
    person = Person(approved=True)
    longest = MOST_ASKED - len('{"command": ": "}')
    async with open_place(tmp_path, {}, approval=ApprovalPolicy.DESTRUCTIVE, approver=person) as place:
        observation = await place.call("shell", command=": " + "x" * (longest + spare))

        assert observation.ok is asked
        assert len(person.asked) == asked
        assert asked or "20001 characters" in observation.text
        assert place.audit.heard[0].verdict is (AuditVerdict.DONE if asked else AuditVerdict.REFUSED)


@pytest.mark.parametrize("person", [Person(approved=False, note="not on a Friday"), None])
async def test_what_is_not_approved_is_not_done_and_the_model_is_told_why(
    tmp_path: Path, person: Person | None
) -> None:
    async with open_place(tmp_path, {"a": "1"}, approval=ApprovalPolicy.DESTRUCTIVE, approver=person) as place:
        observation = await place.call("write_file", path="a", content="2")

        assert ("not on a Friday" if person else "nobody can be asked here") in observation.text
        assert not observation.ok
        assert (await place.tree())["a"].content == b"1"
        assert [entry.verdict for entry in place.audit.heard] == [AuditVerdict.REFUSED]


async def test_a_long_answer_is_cut_and_kept_in_full() -> None:
    desk = Desk()
    long = ToolOutcome(text="".join(f"{number:03}" for number in range(30)))
    calls = Dispatcher(Registry([tool(long, ToolLimits(shown=20))]), Ears())

    first, second = await calls.call(desk, "act", {}), await calls.call(desk, "act", {})

    assert "read_artifact(id='answer-1')" in first.text
    assert "read_artifact(id='answer-2')" in second.text
    assert desk.answers.get("answer-2") == long.text
    assert desk.answers.get("answer-1") is None, "the oldest goes first"
    assert Answers(10).keep("x" * 11) is None


IMAGE = ImageContent(type="image", data="aGVsbG8=", mime_type="image/png")
EMBEDDED = EmbeddedResource(
    type="resource", resource=BlobResourceContents(uri="task://a/artifacts/b", blob="AAAA", mime_type="audio/wav")
)


@pytest.mark.parametrize(("text", "shown"), [("a picture", ["text", "image", "resource"]), ("", ["image", "resource"])])
async def test_what_a_tool_shows_besides_text_follows_the_text_and_counts_in_the_log(
    text: str, shown: list[str]
) -> None:
    audit = Ears()
    end = ToolOutcome(text=text, blocks=(IMAGE, EMBEDDED))
    outcome = await Dispatcher(Registry([tool(end)]), audit).call(Desk(), "act", {})

    assert [block.type for block in as_result(outcome).content] == shown
    assert as_result(outcome).content[-2:] == [IMAGE, EMBEDDED]
    assert audit.heard[0].size == len(text) + len(
        b'{"type":"image","data":"aGVsbG8=","mimeType":"image/png"}'
        b'{"type":"resource","resource":{"uri":"task://a/artifacts/b","mimeType":"audio/wav","blob":"AAAA"}}'
    )


def test_an_answer_without_anything_in_it_is_an_empty_text() -> None:
    assert as_result(ToolOutcome(text="")).content == [TextContent(type="text", text="")]


@pytest.mark.parametrize(("most", "done"), [(57, True), (56, False)])
async def test_blocks_have_a_most_of_their_own_and_text_another(most: int, done: bool) -> None:
    audit, end = Ears(), ToolOutcome(text="x" * 200, blocks=(IMAGE,))
    dispatcher = Dispatcher(Registry([tool(end, ToolLimits(shown=100, block_bytes=most))]), audit)
    outcome = await dispatcher.call(Desk(), "act", {})

    blocks: tuple[ContentBlock, ...] = (IMAGE,) if done else ()
    assert (outcome.ok, outcome.blocks) == (done, blocks)
    assert ("characters left out" in outcome.text) == done
    assert ("besides text has 57 bytes, and 56 is the most" in outcome.text) != done
    assert audit.heard[0].verdict is (AuditVerdict.DONE if done else AuditVerdict.FAILED)
