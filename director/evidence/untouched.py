"""What tests that pass left untouched although it is the work."""

from collections.abc import Collection
from typing import NamedTuple

from domain.evidence import TestReport
from domain.files import FileTree
from domain.workspace import Workspace


class Covered(NamedTuple):
    """How many executable lines the work changed, and how many of those the tests ran."""

    changed: int
    covered: int


async def coverage(workspace: Workspace, base: str, commit: str, report: TestReport, tests: Collection[str]) -> Covered:
    """The lines that changed between two commits, by the coverage of a run on the later one."""
    changed = covered = 0
    for path, lines in (await workspace.changed_lines(base, commit)).items():
        seen = report.coverage.get(path)
        if seen is None or path in tests:
            continue
        changed += len(lines & seen.executable)
        covered += len(lines & seen.executed)
    return Covered(changed, covered)


async def gap(workspace: Workspace, commit: str, stubs: FileTree, report: TestReport, lines: Covered) -> str:
    """What no test ran, or nothing. ``stubs`` are the files that were laid for the work to fill."""
    if lines.changed and not lines.covered:
        return f"the tests pass, but none of the {lines.changed} changed lines was ever run by them"
    for path, stub in stubs.items():
        if await workspace.file(commit, path) == stub:
            return f"the tests pass, but {path} is a stub still: they test something else"
        seen = report.coverage.get(path)
        if seen is None or (seen.executable and not seen.executed):
            return f"the tests pass, but they never ran {path}, which the plan says holds the work"
    return ""
