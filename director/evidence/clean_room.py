"""The clean room: a fresh container that runs the tests on one tree, and nothing else."""

import secrets

from director.evidence.judgement import Controls, take_out
from director.evidence.steering import restored
from director.room import request_for
from domain.base import Value
from domain.evidence import TestReport
from domain.files import File, FileTree, TreeChange
from domain.task import TaskSpec
from domain.workspace import Workspace
from sandbox.base import Sandboxes
from sandbox.test_run import custom_command, harness_command, parse_custom, parse_report

KINDS = {"python": "pytest", "typescript": "node:test", "java": "junit", "go": "go test"}
"""What a run of the tests of a language is called."""

SPARE_S = 300.0
"""Seconds that a sandbox lasts longer than the tests in it may."""


class Run(Value):
    """What was seen: the report, the commit and its tree's hash, how the run was contained, whether its controls held.

    ``controls_held`` is None where a person's own command ran: it carries none.
    """

    kind: str
    tree: str
    isolation: str
    report: TestReport
    controls_held: bool | None
    commit: str = ""


async def run_clean(
    sandboxes: Sandboxes,
    workspace: Workspace,
    spec: TaskSpec,
    commit: str,
    test_command: str | None = None,
    before: str | None = None,
    language: str = "python",
    kept: FileTree | None = None,
) -> Run:
    """Runs all tests of a commit, or the person's own test command, in a fresh sandbox.

    Files that steer the tests are those of the commit ``before`` the work; those in ``kept`` are as they are there.
    """
    files = await workspace.files(commit)
    if before is not None:
        files = restored(files, await workspace.files(before))
    files |= kept or {}
    tree = await workspace.tree(commit)
    limit_s = spec.limits.test_run_s
    request = request_for(spec, "verify", limit_s + SPARE_S, language)
    async with sandboxes.lease(request) as sandbox:
        if test_command is not None:
            await sandbox.put(TreeChange(written=files), clear=True)
            report = parse_custom(test_command, await sandbox.run(custom_command(test_command, limit_s)))
            return Run(
                kind="command", tree=tree, isolation=sandbox.isolation, report=report, controls_held=None, commit=commit
            )
        controls = Controls.named(secrets.token_hex(6), language)
        control_file = {controls.path: File(content=controls.source())}
        await sandbox.put(TreeChange(written=files | control_file), clear=True)
        result = await sandbox.run(harness_command(language, (), limit_s, controls.path))
        report, held = take_out(parse_report(result), controls)
        return Run(
            kind=KINDS[language],
            tree=tree,
            isolation=sandbox.isolation,
            report=report,
            controls_held=held,
            commit=commit,
        )
