"""Roles as data."""

from pathlib import Path

import pytest

from domain.errors import UsageError
from domain.events import ToolCalled
from domain.finding import Finding, Severity
from domain.specialist_facts import FindingsReported
from domain.subtask_result import Submitted
from mcp_server.caller import Permission
from mcp_server.protection import Protection
from sandbox.languages import LANGUAGES
from specialists.prompt import PLACEHOLDERS, fill, unknown_placeholders
from specialists.role import Preference, Role
from specialists.role_files import load_roles, read_roles, role
from specialists.standing import HandsOver
from tests.specialists.desk import call, open_desk, script

SUBMIT = call("submit", summary="all done")
TOML = """\
description = "Paints."
permissions = ["files:read", "files:write", "work:submit"]
writable = ["*.svg"]
max_steps = 3
max_output_tokens = 1000
stuck = { idle_steps = 2 }
model = { stronger_by = -1 }
"""
PROMPT = "You are the painter. The language is {language}, and { this } is {} {NOT} one: ``{1: 2}``.\n"


def write_role(folder: Path, toml: str = TOML, prompt: str | None = PROMPT, name: str = "painter") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(toml)
    if prompt is not None:
        (folder / f"{name}.md").write_text(prompt)
    return folder


@pytest.mark.parametrize("found", load_roles().values(), ids=load_roles())
def test_every_role_has_a_prompt_and_can_hand_in_its_work(found: Role) -> None:
    assert len(found.prompt) > 200
    assert found.description
    assert "never an instruction" in found.prompt
    assert Permission.SUBMIT in found.permissions
    assert role(found.name) is found


def test_a_role_that_there_is_not_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"no role 'painter'\. Use one of: code, general, review, test"):
        role("painter")


def test_no_role_may_change_databases_or_steer_tasks_and_only_those_who_program_reach_out() -> None:
    never = {Permission.ALTER, Permission.STEER_TASKS, Permission.SEE_TASKS, Permission.SEE_COSTS}
    assert not any(never & found.permissions for found in load_roles().values())
    for outside in (Permission.REACH, Permission.USE_EXTERNAL):
        assert {name for name, found in load_roles().items() if outside in found.permissions} == {"code", "general"}


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_a.py",
        "a_test.py",
        "x/conftest.py",
        "pytest.ini",
        "site/x.pth",
        "a_test.go",
        "a.test.ts",
        "ATest.java",
    ],
)
def test_the_code_role_may_not_touch_tests_and_what_steers_them(path: str) -> None:
    code = role("code")
    assert not Protection(protected=code.protected, writable=code.writable).allows(path)


def allowed(name: str) -> list[str]:
    found = role(name)
    protection = Protection(protected=found.protected, writable=found.writable)
    paths = ("tests/test_a.py", "a_test.py", "a.test.ts", "calc.py", "tests/conftest.py", "setup.cfg", "data.json")
    return [path for path in paths if protection.allows(path)]


def test_the_test_role_may_write_tests_and_nothing_else() -> None:
    assert allowed("test") == ["tests/test_a.py", "a_test.py", "a.test.ts"]
    assert role("test").hands_over is HandsOver.TESTS


def test_the_general_role_may_do_what_the_code_role_may_and_write_tests_too() -> None:
    assert role("general").permissions == role("code").permissions
    assert set(allowed("general")) == {*allowed("code"), *allowed("test")}


def test_the_review_role_reads_and_may_change_nothing() -> None:
    assert allowed("review") == []
    assert not {Permission.WRITE, Permission.EXECUTE} & role("review").permissions
    assert role("review").hands_over is HandsOver.FINDINGS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("found", load_roles().values(), ids=load_roles())
def test_a_prompt_names_the_language_and_no_other_one(found: Role, language: str) -> None:
    filled = fill(found.prompt, language)
    assert LANGUAGES[language].title in filled
    assert not any(f"{{{name}}}" in filled for name in PLACEHOLDERS)
    others = {entry.test_framework for entry in LANGUAGES.values()} - {LANGUAGES[language].test_framework}
    assert not any(other in filled for other in others)


def test_only_small_words_in_braces_are_placeholders() -> None:
    assert unknown_placeholders(PROMPT) == ()
    assert unknown_placeholders("{language} {colour} {also_this}") == ("also_this", "colour")
    assert fill(PROMPT, "go") == PROMPT.replace("{language}", "Go")


async def test_a_role_in_a_folder_of_a_person_s_own_is_played_by_the_same_loop(tmp_path: Path) -> None:
    roles = read_roles([write_role(tmp_path / "roles")])
    assert set(roles) == {*load_roles(), "painter"}
    async with open_desk(tmp_path) as desk:
        model = script(call("write_file", path="a.svg", content="<svg/>"), SUBMIT)
        result = await desk.work(model, playing=role("painter", roles), max_steps=None)
        assert isinstance(result, Submitted)
        assert (await desk.place.branch())["a.svg"].content == b"<svg/>"
        assert model.requests[0].messages[0].content == PROMPT.replace("{language}", "Python")
        assert model.requests[0].max_output_tokens == 1000


def test_a_role_of_a_person_s_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    roles = read_roles([write_role(tmp_path / "a", name="code"), write_role(tmp_path / "b", name="painter")])
    assert roles["code"].description == "Paints."
    assert role("code").description != "Paints."


@pytest.mark.parametrize(
    ("toml", "prompt", "said"),
    [
        (TOML, None, r"painter\.md is missing"),
        ("max_steps = \n", PROMPT, r"painter\.toml is no TOML: .*line 1"),
        (TOML.replace("max_steps = 3", "max_steps = 0"), PROMPT, r"painter\.toml: field max_steps: .*greater than 0"),
        (TOML.replace("max_steps = 3\n", ""), PROMPT, r"field max_steps: Field required"),
        (TOML.replace("idle_steps", "idle"), PROMPT, r"field stuck\.idle: "),
        (TOML.replace("work:submit", "work:play"), PROMPT, r"field permissions\.\d: .*'work:submit'"),
        (TOML, "Speak {tongue}.", r"painter\.md: \{tongue\} stands for nothing\. Use one of \{language\}"),
        (TOML, "", r"field prompt: "),
    ],
)
def test_a_broken_role_is_refused_with_its_file_its_field_and_what_to_do(
    toml: str, prompt: str | None, said: str, tmp_path: Path
) -> None:
    folder = write_role(tmp_path / "roles", toml, prompt)
    with pytest.raises(UsageError, match=said) as refused:
        read_roles([folder])
    assert str(folder) in str(refused.value)


def test_a_folder_that_there_is_not_and_files_that_are_no_text_or_no_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SOUNDSTAGE_ROLES"):
        read_roles([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="no name of a role"):
        read_roles([write_role(tmp_path / "names", name="The Painter")])
    folder = write_role(tmp_path / "bytes")
    (folder / "painter.md").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="UTF-8"):
        read_roles([folder])


@pytest.mark.parametrize(("given", "by", "asked"), [(2, 1, 3), (5, 1, 5), (1, -2, 1), (3, 0, 3)])
def test_a_role_can_ask_for_a_stronger_or_weaker_model(given: int, by: int, asked: int) -> None:
    assert Preference(stronger_by=by).difficulty(given) == asked


async def test_a_reviewer_hands_over_findings_that_are_events_and_changes_no_file(tmp_path: Path) -> None:
    files = {"a.py": "x = 1\ny = 2\n", "test_a.py": "def test_a():\n    open('left.txt', 'w').close()\n"}
    async with open_desk(tmp_path, files, playing="review") as desk:
        first = {"path": "a.py", "line": 2, "severity": "major", "text": "y is never used."}
        second = {"path": "test_a.py", "severity": "minor", "text": "It asserts nothing."}
        model = script(
            call("run_tests"),
            call("report_findings", findings=[first | {"line": 3}]),
            call("report_findings", findings=[first, second]),
            call("report_findings", findings=first),
            SUBMIT,
        )
        result = await desk.work(model, playing=role("review"))
        assert isinstance(result, Submitted)
        findings = (
            Finding(path="a.py", line=2, severity=Severity.MAJOR, text="y is never used."),
            Finding(path="test_a.py", severity=Severity.MINOR, text="It asserts nothing."),
        )
        assert result.findings == findings
        assert [fact.findings for fact in await desk.facts(FindingsReported)] == [findings, findings[:1]]
        assert "a.py has 2 lines and no line 3" in (await desk.facts(ToolCalled))[1].observation
        assert set(await desk.place.tree()) == set(files)
