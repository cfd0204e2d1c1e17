"""What a plan wants of a subtask's tree before it is merged, looked at in a clean room."""

from director.evidence.clean_room import Run
from director.evidence.judgement import first_failure, in_files
from director.standing import Standing
from domain.evidence import Failure, FailureKind, TestReport
from domain.plan import Acceptance


async def find_gap(standing: Standing, key: str, commit: str, wanted: Acceptance) -> Failure | None:
    """The first thing that is wanted and does not hold of a commit; None where all does.

    ``key`` is unique within the task.
    """
    for path in wanted.files:
        if await standing.workspace.file(commit, path) is None:
            return Failure(kind=FailureKind.INCOMPLETE, path=path, message=f"{path} is wanted, and it is not there")
    if wanted.tests:
        run = await standing.verifier.run(f"{key}:tests", commit, "acceptance")
        failure = _failure(run.report, wanted.tests)
        await _finish(standing, f"{key}:tests", run, failure)
        if failure is not None:
            return failure
    for at, command in enumerate(wanted.commands):
        run = await standing.verifier.run(f"{key}:command:{at}", commit, "acceptance", command)
        failure = None if run.report.passed else _of_command(run.report)
        await _finish(standing, f"{key}:command:{at}", run, failure)
        if failure is not None:
            return failure
    return None


async def _finish(standing: Standing, key: str, run: Run, failure: Failure | None) -> None:
    seen = standing.verifier.evidence(run, failure is None).model_copy(update={"failure": failure})
    await standing.verifier.finish(key, seen, "acceptance")


def _of_command(report: TestReport) -> Failure:
    failure = first_failure(report) or Failure(kind=FailureKind.COMMAND)
    return failure.model_copy(update={"kind": FailureKind.COMMAND})


def _failure(report: TestReport, tests: tuple[str, ...]) -> Failure | None:
    """What is wrong with the tests that are wanted; the others may fail."""

    def is_wanted(test_id: str) -> bool:
        return in_files(test_id, tests) or test_id in tests or any(test_id.startswith(f"{name}::") for name in tests)

    cases = tuple(case for case in report.cases if is_wanted(case.id))
    errors = tuple(error for error in report.errors if is_wanted(error.test_id))
    wanted = report.model_copy(update={"cases": cases, "errors": errors, "collected": len(cases)})
    return first_failure(wanted)
