"""What linters and formatters say of the changed files, before the work against after it: data, and never a verdict."""

import re
from collections import Counter
from collections.abc import Collection

from director.room import request_for
from domain.base import Value
from domain.command import CommandResult
from domain.evidence import Finding, Inspection
from domain.files import FileTree, TreeChange
from domain.task import TaskSpec
from domain.text import one_line, plain
from sandbox.base import Sandbox, Sandboxes
from sandbox.languages import format_check_command, lint_command

PLACE = re.compile(r"^(?:\./)?([^\s:][^:\n]*):(\d+)(?::\d+)?:?\s+(\S.*)$", re.MULTILINE)
SECURITY = re.compile(r"B\d{3} (?:LOW|MEDIUM|HIGH)\b")
"""Bandit's, in the image of Python; the images of other languages bring no scanner."""

MOST_FINDINGS = 100
TEXT_CHARACTERS = 300
RAN = frozenset({0, 1})
"""What linters exit with when they could do their work."""


class _Seen(Value):
    """What was said of one tree; ``lint`` and ``format`` are None where the program did not run."""

    lint: tuple[Finding, ...] | None
    unformatted: frozenset[str] | None


async def inspect(
    sandboxes: Sandboxes, spec: TaskSpec, before: FileTree, after: FileTree, language: str = "python"
) -> Inspection:
    """What is new in the files that changed. Old findings do not count, wherever their lines went; a file that both
    trees have alike is not looked at."""
    changed = frozenset(path for path, file in after.items() if before.get(path) != file)
    if not changed:
        return Inspection(ran=True)
    async with sandboxes.lease(request_for(spec, "inspection", 900, language)) as sandbox:
        old = await _look(sandbox, before, changed, language)
        new = await _look(sandbox, after, changed, language)
    if new.lint is None or new.unformatted is None:
        return Inspection()
    found = _newer(old.lint or (), new.lint)
    return Inspection(
        ran=True,
        findings=tuple(one for one in found if not SECURITY.match(one.text))[:MOST_FINDINGS],
        security=tuple(one for one in found if SECURITY.match(one.text))[:MOST_FINDINGS],
        unformatted=tuple(sorted(new.unformatted - (old.unformatted or frozenset()))),
    )


async def _look(sandbox: Sandbox, files: FileTree, changed: Collection[str], language: str) -> _Seen:
    await sandbox.put(TreeChange(written=files), clear=True)
    linted = await sandbox.run(lint_command(language))
    checked = await sandbox.run(format_check_command(language))
    return _Seen(lint=_findings(linted, changed), unformatted=_unformatted(checked, changed))


def _findings(result: CommandResult, changed: Collection[str]) -> tuple[Finding, ...] | None:
    if result.exit_code not in RAN:
        return None
    return tuple(
        Finding(path=path, line=min(int(line[:9]), 10**9), text=one_line(text, TEXT_CHARACTERS))
        for path, line, text in PLACE.findall(plain(result.text()))
        if path in changed
    )


def _unformatted(result: CommandResult, changed: Collection[str]) -> frozenset[str] | None:
    if result.exit_code is None or result.exit_code >= 126:
        return None
    words = {word.removeprefix("./") for word in re.split(r"[\s:]+", plain(result.text()))}
    return frozenset(path for path in changed if path in words) if not result.ok else frozenset()


def _newer(old: Collection[Finding], new: Collection[Finding]) -> list[Finding]:
    """What is said more often of a file than before."""
    known = Counter((one.path, one.text) for one in old)
    found: list[Finding] = []
    for one in new:
        known[one.path, one.text] -= 1
        if known[one.path, one.text] < 0:
            found.append(one)
    return found
