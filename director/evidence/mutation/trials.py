"""Trying tests by mutants, in one fresh sandbox.

Each run has a fresh copy of the tree, so that nothing of one comes into another. They take turns: each keeps a core
busy, and side by side they took longer. The first run and the last one are of the tree with nothing but a comment more.
Tests that notice that look at the text of the code, or something was left behind by a mutant: then the score counts
for nothing.
"""

import secrets
import time
from collections.abc import Sequence

from director.evidence.judgement import BAD
from director.evidence.mutation.sample import Candidate
from director.evidence.mutation.trial import Fate, fate
from domain.evidence import MutationScore, Outcome, Survivor, TestReport
from domain.files import FileTree, TreeChange
from sandbox.base import Sandbox
from sandbox.test_run import harness_command, parse_report

USUAL_S = 120.0
SHORTEST_S, TIMES_USUAL = 3.0, 4.0
"""A mutant has this many times as long as the unchanged code took, and never less than the shortest time."""

COPY = 'rm -rf work && cp -r base work && cp -r "changes$1/." work && cd work && shift && exec "$@"'
COMMENTS = {"python": "#", "typescript": "//", "java": "//", "go": "//"}


class Trials:
    """Tries the tests of one tree. ``tests`` are paths or ids of tests; all of them where there are none."""

    def __init__(self, sandbox: Sandbox, name: str, tests: Sequence[str] = (), within_s: float = 300.0) -> None:
        self._sandbox = sandbox
        self._name = name
        self._tests = tuple(tests)
        self._deadline = time.monotonic() + within_s

    async def score(self, tree: FileTree, candidates: Sequence[Candidate]) -> MutationScore | None:
        """The score; None where the tests do not pass on the tree itself, so that nothing can be said.

        When the time is over, the mutants that were not tried are not counted.
        """
        started = time.monotonic()
        await self._put(tree, candidates)
        usual = await self._run(0, USUAL_S)
        if not _passes(usual):
            return None
        limit_s = max(SHORTEST_S, TIMES_USUAL * usual.duration_s)
        fates: list[Fate] = []
        for number, _ in enumerate(candidates, start=1):
            if time.monotonic() + limit_s > self._deadline:
                break
            fates.append(fate(await self._run(number, limit_s), usual, self._name))
        held = _passes(await self._run(0, USUAL_S))
        return _score(candidates, fates, held, time.monotonic() - started)

    async def _put(self, tree: FileTree, candidates: Sequence[Candidate]) -> None:
        """The tree, and beside it for each mutant the one file that it changes. Number 0 changes a comment."""
        files = {f"base/{path}": file for path, file in tree.items()}
        for path in {candidate.path for candidate in candidates}:
            remark = f"\n{COMMENTS[self._name]} {secrets.token_hex(6)}\n"
            files[f"changes0/{path}"] = tree[path].model_copy(update={"content": tree[path].content + remark.encode()})
        for number, candidate in enumerate(candidates, start=1):
            changed = tree[candidate.path].model_copy(update={"content": candidate.content})
            files[f"changes{number}/{candidate.path}"] = changed
        await self._sandbox.put(TreeChange(written=files), clear=True)

    async def _run(self, number: int, limit_s: float) -> TestReport:
        test = harness_command(self._name, self._tests, limit_s, early=True)
        argv = ("/bin/sh", "-c", COPY, "sh", f"{number}", *test.argv)
        command = test.model_copy(update={"argv": argv})
        return parse_report(await self._sandbox.run(command))


def _passes(report: TestReport) -> bool:
    bad = any(case.outcome in BAD for case in report.cases)
    return report.finished and not bad and not report.errors and report.count(Outcome.PASSED) > 0


def _score(candidates: Sequence[Candidate], fates: Sequence[Fate], held: bool, duration_s: float) -> MutationScore:
    survivors = [candidate for candidate, end in zip(candidates, fates, strict=False) if end is Fate.SURVIVED]
    void, timed_out = fates.count(Fate.VOID), fates.count(Fate.TIMED_OUT)
    return MutationScore(
        made=len(fates) - void,
        killed=fates.count(Fate.KILLED) + timed_out,
        timed_out=timed_out,
        void=void,
        untried=len(candidates) - len(fates),
        survivors=tuple(Survivor(path=one.path, line=one.mutant.line, what=one.mutant.what) for one in survivors),
        controls_held=held,
        duration_s=duration_s,
    )
