"""Tools that hand over what a task came to: its patch, what a clean room saw, what it cost."""

from pydantic import Field

from domain.base import Value
from domain.costs import CostGrouping, CostLine
from domain.evidence import Evidence, Outcome, TestCase
from domain.money import NanoUsd
from domain.text import excerpt, one_line, plain
from mcp_server.caller import Permission
from mcp_server.ide.looking import OfTask
from mcp_server.ide.session import IdeSession
from mcp_server.ide.views import usd
from mcp_server.tool import Tool, ToolLimits, ToolOutcome

PATCH_CHARACTERS = 20_000
MOST_PATCH_CHARACTERS = 200_000
SHOWN_PATHS = 200
SHOWN_TESTS = 50
SHOWN_MESSAGE = 2000
BAD = frozenset({Outcome.FAILED, Outcome.ERROR})


class GetPatch(OfTask):
    """Arguments of get_patch."""

    offset: int = Field(default=0, ge=0, description="the first character to show, from 0")
    limit: int = Field(default=PATCH_CHARACTERS, ge=1, le=MOST_PATCH_CHARACTERS, description="how many characters")


class GetEvidence(OfTask):
    """Arguments of get_evidence."""

    offset: int = Field(default=0, ge=0, description="the first test to show, from 0")


class GetCosts(OfTask):
    """Arguments of get_costs."""

    by: CostGrouping = Field(default=CostGrouping.MODEL, description="one line for each of these")


class PatchPage(Value):
    """A piece of a patch, from the character ``offset`` of ``total``. ``next_offset`` leads to the next piece.

    ``paths`` are the first of the ``changed`` paths. Without ``exact`` the patch holds bytes that are no UTF-8, and
    they are replaced here.
    """

    task_id: str
    patch: str
    offset: int
    total: int
    next_offset: int | None
    exact: bool
    changed: int
    paths: tuple[str, ...]


class Found(Value):
    """What a clean room saw of the tree of that hash. ``controls_held`` is None for a command of your own."""

    kind: str
    tree: str
    isolation: str
    passed: bool
    failed_first: bool
    controls_held: bool | None
    counts: dict[Outcome, int]
    changed_lines: int
    covered_lines: int
    protected_paths: tuple[str, ...]
    failure: str


class TestLine(Value):
    """How one test ended, and where it failed."""

    __test__ = False

    id: str
    outcome: Outcome
    duration_s: float
    place: str
    message: str


class EvidencePage(Value):
    """What a clean room saw, None where none looked yet, and some tests: those that did not pass first."""

    task_id: str
    found: Found | None
    tests: tuple[TestLine, ...] = ()
    next_offset: int | None = None


class CostTable(Value):
    """What a task spent so far: a line for each group, and in all. ``unpriced`` counts calls without a known price."""

    task_id: str
    by: CostGrouping
    lines: tuple[CostLine, ...]
    total_usd: str
    unpriced: int


async def _get_patch(session: IdeSession, arguments: GetPatch) -> ToolOutcome:
    task_id = session.about(arguments.task_id)
    patch = await session.tasks.patch(session.owner, task_id)
    text = patch.content.decode(errors="replace")
    end = min(arguments.offset + arguments.limit, len(text))
    page = PatchPage(
        task_id=task_id, patch=text[arguments.offset : end], offset=arguments.offset, total=len(text),
        next_offset=end if end < len(text) else None, exact=text.encode() == patch.content, changed=len(patch.paths),
        paths=tuple(plain(path) for path in patch.paths[:SHOWN_PATHS]),
    )  # fmt: skip
    more = f"\n[{len(text) - end} more characters: offset={end}]" if page.next_offset is not None else ""
    return ToolOutcome(text=(page.patch or "[nothing is changed]") + more, data=page)


async def _get_evidence(session: IdeSession, arguments: GetEvidence) -> ToolOutcome:
    task_id = session.about(arguments.task_id)
    evidence = await session.tasks.evidence(session.owner, task_id)
    if evidence is None:
        text = "No clean room has seen the work, so nothing says that it is right."
        return ToolOutcome(text=text, data=EvidencePage(task_id=task_id, found=None))
    cases = sorted(evidence.report.cases, key=lambda case: case.outcome not in BAD)
    end = arguments.offset + SHOWN_TESTS
    page = EvidencePage(
        task_id=task_id, found=_found(evidence), tests=tuple(map(_test, cases[arguments.offset : end])),
        next_offset=end if end < len(cases) else None,
    )  # fmt: skip
    return ToolOutcome(text=_evidence_in_words(page), data=page)


def _found(evidence: Evidence) -> Found:
    failure = evidence.failure
    said = (
        "" if failure is None else f"{failure.kind} {failure.test_id} {failure.path}:{failure.line}\n{failure.message}"
    )
    return Found(
        kind=evidence.kind, tree=evidence.tree, isolation=evidence.isolation, passed=evidence.passed,
        failed_first=evidence.failed_first, controls_held=evidence.controls_held,
        counts={outcome: evidence.report.count(outcome) for outcome in Outcome},
        changed_lines=evidence.changed_lines, covered_lines=evidence.covered_lines,
        protected_paths=evidence.protected_paths[:SHOWN_PATHS], failure=excerpt(plain(said), SHOWN_MESSAGE),
    )  # fmt: skip


def _test(case: TestCase) -> TestLine:
    return TestLine(
        id=one_line(case.id, 500), outcome=case.outcome, duration_s=case.duration_s,
        place=f"{one_line(case.path, 500)}:{case.line}" if case.path else "",
        message=excerpt(plain(case.message), SHOWN_MESSAGE),
    )  # fmt: skip


def _evidence_in_words(page: EvidencePage) -> str:
    found = page.found
    assert found is not None
    counts = ", ".join(f"{number} {outcome}" for outcome, number in found.counts.items() if number) or "no test ran"
    lines = [
        f"{'Passed' if found.passed else 'Not passed'} in a clean room ({found.isolation}): {counts}.",
        f"Tree {found.tree}; {found.covered_lines} of {found.changed_lines} changed lines were run.",
        f"The same tests were {'seen' if found.failed_first else 'not seen'} to fail before the work.",
    ]
    if found.failure:
        lines.append(found.failure)
    lines += [f"{test.outcome}: {test.id} {test.place}".rstrip() for test in page.tests]
    if page.next_offset is not None:
        lines.append(f"More tests with offset={page.next_offset}.")
    return "\n".join(lines)


async def _get_costs(session: IdeSession, arguments: GetCosts) -> ToolOutcome:
    task_id = session.about(arguments.task_id)
    lines = await session.tasks.costs(session.owner, task_id, arguments.by)
    total = usd(NanoUsd(sum(line.cost for line in lines)))
    table = CostTable(
        task_id=task_id, by=arguments.by, lines=lines, total_usd=total, unpriced=sum(line.unpriced for line in lines)
    )
    said = [
        f"{one_line(line.key) or '-'}: {usd(line.cost)} USD, {line.attempts} calls, {line.input_tokens:,} tokens in, "
        f"{line.output_tokens:,} out" + (f", {line.unpriced} without a known price" if line.unpriced else "")
        for line in lines
    ]
    return ToolOutcome(text="\n".join([*said, f"In all: {total} USD"]), data=table)


RESULT_TOOLS = (
    Tool(
        name="get_patch",
        description="Shows what a task changed, as a git patch, in pieces.",
        session=IdeSession,
        arguments=GetPatch,
        permission=Permission.SEE_TASKS,
        handler=_get_patch,
        example={"task_id": "fb7d1382ecfd", "offset": 0},
        data=PatchPage,
        read_only=True,
        idempotent=True,
        limits=ToolLimits(timeout_s=60, shown=MOST_PATCH_CHARACTERS + 100),
    ),
    Tool(
        name="get_evidence",
        description="Shows what a clean room saw of a task's work: which tests ran on which tree, and how they ended.",
        session=IdeSession,
        arguments=GetEvidence,
        permission=Permission.SEE_TASKS,
        handler=_get_evidence,
        example={"task_id": "fb7d1382ecfd"},
        data=EvidencePage,
        read_only=True,
        idempotent=True,
    ),
    Tool(
        name="get_costs",
        description="Shows what a task spent so far, by model, specialist or purpose.",
        session=IdeSession,
        arguments=GetCosts,
        permission=Permission.SEE_COSTS,
        handler=_get_costs,
        example={"task_id": "fb7d1382ecfd", "by": "model"},
        data=CostTable,
        read_only=True,
        idempotent=True,
    ),
)
