"""Drafts of a whole file, before any work with tools."""

from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path

from domain.catalogue import Catalogue, ModelInfo
from domain.chat import Delta, ModelReply, ModelRequest
from domain.errors import ModelRequestRejected
from domain.events import ModelCalled, ToolCalled
from domain.subtask_result import Stopped, StopReason, Submitted
from domain.tariff import WrittenPrice
from gateway.knowledge import Knowledge
from gateway.pricing import Prices
from gateway.scripted import Line, Scene, ScriptedProvider
from specialists.draft_terms import DraftTerms
from tests.specialists.desk import call, open_desk

TEST = """from calc import add


def test_add():
    assert add(2, 3) == 5


def test_none():
    assert add(0, 0) == 0
"""
FILES = {"calc.py": "def add(a, b):\n    raise NotImplementedError\n", "test_calc.py": TEST}
TERMS = DraftTerms(
    path="calc.py", request="Write calc.py.", signatures=("def add(a, b)",), tests=("test_calc.py",), most=6
)
RIGHT, HALF, WRONG = "a + b", "a * b", "None"
TOOLLESS = Knowledge(catalogue=Catalogue((ModelInfo(provider="scripted", id="scripted", known=True),), lambda *_: None))
SUBMIT = call("submit", summary="mended")


def draft(body: str) -> Line:
    return Line(text=f"```python\ndef add(a, b):\n    return {body}\n```")


class InTurn(ScriptedProvider):
    """A model that says the next of its drafts whenever it is asked for one, and plays its script else."""

    def __init__(self, *drafts: Line, then: tuple[Line, ...] = (SUBMIT,)) -> None:
        super().__init__((Scene(when=(), lines=then),))
        self._drafts = list(drafts)
        self.asked: list[ModelRequest] = []
        self.refuses = False

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        first, *more = request.messages
        if first.role == "user" and not more:
            self.asked.append(request)
            if self.refuses:
                raise ModelRequestRejected("no temperature here")
        async for piece in super().stream(request):
            yield piece

    def _line(self, request: ModelRequest) -> Line:
        if request.messages[0].role == "user" and len(request.messages) == 1:
            return self._drafts[min(len(self.asked), len(self._drafts)) - 1]
        return super()._line(request)


async def test_the_first_draft_that_passes_is_the_work(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(draft(WRONG), draft(HALF), draft(RIGHT))
        result = await desk.work(model, draft=TERMS)
        assert isinstance(result, Submitted)
        assert (result.summary, result.steps) == ("draft 3 of calc.py passes its tests", 3)
        assert b"a + b" in (await desk.place.branch())["calc.py"].content
        assert [fact.tool for fact in await desk.facts(ToolCalled)] == ["write_file", "run_tests"] * 3
        assert len(await desk.facts(ModelCalled)) == len(model.requests) == 3


async def test_drafts_are_asked_for_in_two_forms_and_stray_further_after_the_first(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(draft(WRONG), draft(HALF), draft(RIGHT))
        await desk.work(model, draft=TERMS)
        assert [request.temperature for request in model.asked] == [None, 0.2, 0.6]
        assert not any(request.tools for request in model.asked)
        said = [request.messages[0].content for request in model.asked]
        assert ["```python block" in text for text in said] == [True, False, True]
        assert all("Write calc.py." in text and "def add(a, b)" in text for text in said)


async def test_who_can_call_tools_goes_on_from_the_best_draft(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(draft(WRONG), draft(HALF), draft("1 / 0"))
        result = await desk.work(model, draft=TERMS)
        assert isinstance(result, Submitted)
        assert result.summary == "mended"
        assert b"a * b" in (await desk.place.branch())["calc.py"].content
        told = model.requests[-1].messages[-1].content
        assert "A draft of calc.py is there already: 1 of 2 tests passed, 1 failed" in told
        assert "test_add" in told


async def test_who_cannot_call_tools_hands_over_the_best_draft(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(draft(WRONG), draft(HALF), draft("1 / 0"))
        result = await desk.work(model, draft=TERMS, knowledge=TOOLLESS)
        assert isinstance(result, Stopped)
        assert (result.reason, result.detail) == (StopReason.STUCK, "none of 6 drafts of calc.py passed its tests")
        assert b"a * b" in (await desk.place.branch())["calc.py"].content
        assert len(model.requests) == 6


async def test_who_cannot_call_tools_mends_by_drafts_and_is_shown_what_was_wrong(tmp_path: Path) -> None:
    terms = TERMS.model_copy(update={"present": "def add(a, b):\n    return a * b\n", "failure": "assert 6 == 5"})
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(draft(HALF), draft(RIGHT))
        assert isinstance(await desk.work(model, draft=terms, knowledge=TOOLLESS), Submitted)
        said = [request.messages[0].content for request in model.asked]
        assert ["return a * b" in text and "assert 6 == 5" in text for text in said] == [True, False]
        assert [fact.tool for fact in await desk.facts(ToolCalled)] == ["write_file", "run_tests"]
        assert isinstance(await desk.work(InTurn(SUBMIT), draft=terms, key="able"), Submitted)
        assert len(await desk.facts(ModelCalled)) == 3


async def test_a_request_that_is_refused_ends_the_drafts_and_not_the_work(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(draft(RIGHT))
        model.refuses = True
        result = await desk.work(model, draft=TERMS)
        assert isinstance(result, Submitted)
        assert result.summary == "mended"


async def test_a_priced_model_makes_as_many_drafts_as_are_cheap(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        for cost, made in ((Decimal(1000), 1), (Decimal("0.01"), 3)):
            model = InTurn(draft(WRONG), draft(HALF), draft("1 / 0"), draft("a"))
            price = WrittenPrice(provider="scripted", id="scripted", input=cost, output=cost)
            priced = Knowledge(prices=Prices((price,)))
            await desk.work(model, draft=TERMS, knowledge=priced, key=f"at {cost}")
            assert len(model.asked) == made


async def test_a_model_that_writes_no_file_is_soon_asked_to_work_with_tools(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(Line(text="I would rather talk."))
        assert isinstance(await desk.work(model, draft=TERMS), Submitted)
        assert len(model.asked) == 3


async def test_a_model_that_calls_tools_all_the_same_is_asked_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(SUBMIT)
        assert isinstance(await desk.work(model, draft=TERMS), Submitted)
        assert len(model.asked) == 1


async def test_the_same_draft_again_is_not_run_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path, FILES) as desk:
        model = InTurn(draft(HALF))
        await desk.work(model, draft=TERMS)
        tools = [fact.tool for fact in await desk.facts(ToolCalled)]
        assert tools.count("write_file") == 1
