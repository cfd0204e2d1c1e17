"""Trees that forge their tests' success: the clean room reports none."""

import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from director.evidence.clean_room import run_clean
from director.evidence.judgement import judge
from director.evidence.steering import restored
from domain.command import Verdict
from domain.evidence import FailureKind
from domain.files import File, FileTree, TreeChange
from domain.task import TaskSpec
from domain.workspace import BASE_BRANCH, MAIN_BRANCH
from mcp_server.protection import Protection
from mcp_server.session import ToolSession
from sandbox.base import Sandbox, Sandboxes, SandboxRequest
from storage.workspace import WorkspaceStore
from tests.mcp_server.place import caller
from tests.sandbox.contract import output
from tests.sandbox.hostile.arena import Arena, arena, record
from tests.sandbox.hostile.case import Case
from tests.sandbox.hostile.cases import HONESTY_CASES, WEAKENED
from tests.sandbox.hostile.honesty_trees import BEFORE, TEST, TESTS, TREES

REFUSALS = set(FailureKind) - {FailureKind.INFRASTRUCTURE}


@pytest.fixture(autouse=True)
def _engine(docker_engine: None) -> None:
    """All of them need one."""


class AtIsolation:
    """The sandboxes of an arena, at its level of isolation whatever is asked for."""

    def __init__(self, there: Arena) -> None:
        self._there = there

    def lease(self, request: SandboxRequest) -> AbstractAsyncContextManager[Sandbox]:
        """A sandbox for the request, otherwise as it is."""
        return self._there.lease(**request.model_dump(exclude={"isolation", "profile"}), profile="default")

    async def reap(self, alive: Callable[[], Collection[str]]) -> list[str]:
        """Nothing is reaped here."""
        return []

    async def close(self) -> None:
        """The arena closes itself."""


@contextlib.asynccontextmanager
async def clean_rooms(folder: Path, isolation: str) -> AsyncIterator[Sandboxes]:
    """Real sandboxes for the director."""
    async with arena(folder, isolation) as there:
        yield AtIsolation(there)


def tree_of(case: Case) -> FileTree:
    """The files that a case writes."""
    return {path: File(content=text.encode()) for path, text in TREES[case.name].items() if text is not None}


VARIANTS = [
    pytest.param(case, steering_is_restored, id=f"{case.id}{'-restored' if steering_is_restored else ''}")
    for case in HONESTY_CASES
    for steering_is_restored in (False, True)
    if not steering_is_restored or restored(tree_of(case), {}) != tree_of(case)
]
"""Where files steer the tests, once with them as the tree has them, and once as the director does it."""


@pytest.mark.parametrize(("case", "steering_is_restored"), VARIANTS)
async def test_a_tree_that_forges_its_success_does_not_pass(
    case: Case, steering_is_restored: bool, isolation: str, tmp_path: Path
) -> None:
    async with clean_rooms(tmp_path, isolation) as sandboxes:
        workspace = await WorkspaceStore(tmp_path / "store").create("task")
        base = await workspace.start({path: File(content=text.encode()) for path, text in BEFORE.items()})
        gone = frozenset(path for path, text in TREES[case.name].items() if text is None)
        work = await workspace.snapshot(BASE_BRANCH, TreeChange(written=tree_of(case), deleted=gone), "m")
        before = base.commit if steering_is_restored else None

        spec = TaskSpec(id="task", prompt="x", model="m", base_commit=base.commit, isolation=isolation)
        run = await run_clean(sandboxes, workspace, spec, work.commit, before=before)

        judgement = judge(run.report, None, {TEST}, run.controls_held)
        assert not judgement.passed
        assert judgement.failure is not None
        assert judgement.failure.kind in REFUSALS, judgement.failure
    record(case, isolation, Verdict.FAILED)


async def test_a_weakened_test_is_put_back_whoever_weakens_it(isolation: str, tmp_path: Path) -> None:
    weak = TESTS.replace("== 5", "!= 5")
    mapped = f"f = open('{TEST}', 'r+b'); m = mmap.mmap(f.fileno(), 0); at = m.find(b'== 5'); m[at:at + 4] = b'!= 5'"
    ways = (
        f"cat > {TEST} << 'END'\n{weak}\nEND\n", f"rm -r tests; mkdir tests; echo 'def test(): pass' > {TEST}",
        f"mv {TEST} gone; mkdir {TEST}", f"rm -r tests; ln -s /tmp tests; echo > {TEST}",
        f"chmod 000 {TEST}; rm {TEST}",
        f"(sleep 0.05; while :; do echo 'def test(): pass' > {TEST}; done) & sleep 0.3",
        f'python3 -c "import mmap; {mapped}"',
    )  # fmt: skip
    async with arena(tmp_path, isolation) as there, there.lease() as sandbox:
        workspace = await WorkspaceStore(tmp_path / "store").create("task")
        start = await workspace.start({path: File(content=text.encode()) for path, text in BEFORE.items()})
        await workspace.branch(MAIN_BRANCH, start.commit)
        protection = Protection(kept=frozenset({TEST}))
        session = ToolSession(sandbox, workspace, MAIN_BRANCH, caller(), protection)
        await session.open()
        for way in ways:
            await output(sandbox, "sleep 0.1")
            await session.sync("settled")
            await output(sandbox, way)
            assert TEST in await session.sync("attack", closely=True), way
            kept = await workspace.file(session.commit, TEST)
            assert kept is not None, way
            assert kept.content.decode() == TESTS, way
            assert (await output(sandbox, f"cat {TEST}")).strip() == TESTS.strip(), way
    record(WEAKENED, isolation, Verdict.FAILED)
