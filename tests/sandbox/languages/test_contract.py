"""What holds for every language, run for real in its image. A new language is a data entry, an image and samples."""

from director.evidence.judgement import Controls, take_out
from domain.command import CommandResult, Verdict
from domain.evidence import FailureKind, Outcome, TestReport
from domain.files import File, TreeChange
from sandbox.base import Sandbox
from sandbox.detection import detect
from sandbox.languages import compile_command, format_check_command, format_command, lint_command
from sandbox.test_run import harness_command, parse_report
from tests.sandbox.languages.sample import Place, Sample, sample

RUN_S, ENDLESS_S = 60.0, 8.0


async def ran(
    sandbox: Sandbox, name: str, project: Sample, *selection: str, timeout_s: float = RUN_S, control: str = ""
) -> TestReport:
    """The report of a run of a sample's tests in an empty workspace."""
    await sandbox.put(project.change, clear=True)
    return parse_report(await sandbox.run(harness_command(name, selection, timeout_s, control)))


def outcomes(report: TestReport) -> dict[str, str]:
    """How each test ended."""
    return {case.id: str(case.outcome) for case in report.cases}


def said(result: CommandResult) -> str:
    """All that a command printed."""
    return f"{result.exit_code}\n{result.text()}"


def test_a_project_is_detected(name: str) -> None:
    assert [entry.name for entry in detect(sample(name, "half_covered").files)] == [name]
    assert [entry.name for entry in detect(sample(name, "ill_formatted").files)] == [name]


async def test_formatting_mends_what_the_check_complains_about(sandbox: Sandbox, name: str) -> None:
    await sandbox.put(sample(name, "ill_formatted").change)

    before = await sandbox.run(format_check_command(name))
    formatted = await sandbox.run(format_command(name))
    after = await sandbox.run(format_check_command(name))

    assert before.verdict is Verdict.FAILED, said(before)
    assert formatted.ok, said(formatted)
    assert after.ok, said(after)
    (path,) = sample(name, "ill_formatted").files
    assert (await sandbox.fetch()).change.written[path].content != sample(name, "ill_formatted").files[path].encode()
    assert path.encode() in before.stdout + before.stderr


async def test_a_file_is_formatted_by_name_and_another_is_left_alone(sandbox: Sandbox, name: str) -> None:
    ((path, text),) = sample(name, "ill_formatted").files.items()
    folder, _, base = path.rpartition("/")
    named, other = f"{folder}/-{base}".lstrip("/"), f"{folder}/other_{base}".lstrip("/")
    content = File(content=text.encode())
    await sandbox.put(TreeChange(written={named: content, other: content}), clear=True)

    formatted = await sandbox.run(format_command(name, (named,)))

    assert formatted.ok, said(formatted)
    written = (await sandbox.fetch()).change.written
    assert {place for place, file in written.items() if file != content} == {named}


async def test_code_that_compiles_and_code_that_does_not(sandbox: Sandbox, name: str) -> None:
    broken = sample(name, "broken_code")
    await sandbox.put(sample(name, "half_covered").change)
    good = await sandbox.run(compile_command(name))
    await sandbox.put(broken.change, clear=True)
    bad = await sandbox.run(compile_command(name))

    assert good.ok, said(good)
    assert bad.verdict is Verdict.FAILED
    (place,) = broken.marked("HERE")
    text = said(bad)
    assert f"{place.path}:{place.line}" in text or f"{place.path}({place.line}," in text, text


async def test_lint_says_where_the_trouble_is(sandbox: Sandbox, name: str) -> None:
    troubled = sample(name, "lint_trouble")
    await sandbox.put(sample(name, "half_covered").change)
    good = await sandbox.run(lint_command(name))
    await sandbox.put(troubled.change, clear=True)
    bad = await sandbox.run(lint_command(name))

    assert good.ok, said(good)
    assert bad.verdict is Verdict.FAILED
    (place,) = troubled.marked("HERE")
    assert f"{place.path}:{place.line}" in said(bad), said(bad)


async def test_passing_tests_show_their_names_and_the_lines_that_they_ran(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "half_covered")

    report = await ran(sandbox, name, project)

    assert report.passed, report
    assert outcomes(report) == project.expected
    assert report.collected == len(report.cases)
    assert all(case.duration_s >= 0 for case in report.cases)
    for mark, executed in (("COVERED", True), ("MISSED", False)):
        for place in project.marked(mark):
            lines = report.coverage[place.path]
            assert place.line in lines.executable, (place, lines)
            assert (place.line in lines.executed) is executed, (place, lines)
    (path,) = {place.path for place in project.marked("MISSED")}
    count = len(project.files[path].splitlines())
    assert len(report.coverage[path].executable) < count
    assert max(report.coverage[path].executable) <= count


async def test_failures_point_at_the_first_line_of_the_workspace(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "failing")

    report = await ran(sandbox, name, project)

    assert (report.verdict, report.finished, report.errors) == (Verdict.FAILED, True, ())
    assert outcomes(report) == project.expected
    failed = [case for case in report.cases if case.outcome is Outcome.FAILED]
    for kind in (FailureKind.ASSERTION, FailureKind.EXCEPTION):
        (case,) = [case for case in failed if case.kind == kind]
        (place,) = project.marked(f"HERE {kind}")
        assert Place(path=case.path, line=case.line) == place
        assert case.message


async def test_a_test_file_that_cannot_be_loaded_is_told_and_the_others_run(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "broken_test_file")

    report = await ran(sandbox, name, project)

    assert report.finished
    assert not report.passed
    assert outcomes(report) == project.expected
    found = {(str(error.kind), error.path, error.line) for error in report.errors}
    wanted = {
        (kind, place.path, place.line) for kind in ("import", "syntax") for place in project.marked(f"HERE {kind}")
    }
    assert found == wanted, report.errors
    assert {error.test_id for error in report.errors} == {place for _, place, _ in wanted}


async def test_an_endless_loop_is_ended_and_named(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "endless")

    report = await ran(sandbox, name, project, timeout_s=ENDLESS_S)

    assert (report.verdict, report.finished) == (Verdict.TIMEOUT, False)
    (failure,) = report.errors
    assert [failure.test_id] == project.named("endless")
    assert list(outcomes(report)) == project.named("passed")


async def test_a_selection_runs_a_file_or_a_test_and_nothing_else(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "half_covered")
    first = project.named("passed")[0]
    path = project.named("passed")[-1].split("::")[0]

    one = await ran(sandbox, name, project, first)
    file = await ran(sandbox, name, project, path)
    each = {test_id: await ran(sandbox, name, project, test_id) for test_id in project.named("passed")[1:]}

    assert outcomes(one) == {first: "passed"}
    assert outcomes(file) == {known: "passed" for known in project.named("passed") if known.startswith(path)}
    assert one.passed
    assert file.passed
    for test_id, report in each.items():
        assert report.passed, (test_id, report)
        assert all(test_id in seen or seen in test_id for seen in outcomes(report)), (test_id, outcomes(report))


async def test_a_selection_that_names_nothing_is_no_success(sandbox: Sandbox, name: str) -> None:
    report = await ran(sandbox, name, sample(name, "half_covered"), "no/such/file")

    assert not report.passed
    assert report.cases == ()


async def test_a_test_that_ends_the_process_with_success_is_none(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "exits")

    report = await ran(sandbox, name, project)

    assert not report.passed
    (ended,) = project.named("ended")
    assert outcomes(report).get(ended) != "passed"
    assert ended in {error.test_id for error in report.errors} or outcomes(report)[ended] == "failed", report


async def test_forged_records_make_no_success(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "forging")

    report = await ran(sandbox, name, project)

    assert not report.passed
    assert outcomes(report) == project.expected
    assert "forged" in report.output


async def test_no_tests_at_all_are_no_success(sandbox: Sandbox, name: str) -> None:
    report = await ran(sandbox, name, sample(name, "no_tests"))

    assert not report.passed
    assert (report.collected, report.cases, report.errors) == (0, (), ())


async def test_the_control_file_runs_among_the_others_and_in_a_selection(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "half_covered")
    controls = Controls.named("c0ffee", name)
    with_controls = project.model_copy(update={"files": {**project.files, controls.path: controls.source().decode()}})

    for selection in ((), (project.named("passed")[0].split("::")[0],)):
        report, held = take_out(await ran(sandbox, name, with_controls, *selection, control=controls.path), controls)

        assert held, report
        assert report.passed, report
        assert set(outcomes(report)) <= set(project.expected)


async def test_a_run_leaves_nothing_in_the_workspace(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "half_covered")
    await sandbox.put(project.change)
    for command in (compile_command(name), lint_command(name), harness_command(name)):
        await sandbox.run(command)

    fetched = await sandbox.fetch()

    assert set(fetched.change.written) <= set(project.files)
    assert fetched.change.deleted == frozenset()
    assert fetched.refused == ()


async def test_a_hundred_files_without_tests_and_odd_names_do_no_harm(sandbox: Sandbox, name: str) -> None:
    project = sample(name, "half_covered")
    odd = {f"docs/ein Ordner/{number} größe.md": File(content=b"text") for number in range(100)}
    await sandbox.put(TreeChange(written={**project.change.written, **odd}))

    assert parse_report(await sandbox.run(harness_command(name))).passed
