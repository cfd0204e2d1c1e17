"""A plan at the terminal: shown, changed in the person's editor, refused."""

import json
import os
from pathlib import Path

import pexpect
import pytest

from tests.app.conftest import SOUNDSTAGE, Cli

pytestmark = pytest.mark.usefixtures("docker_engine")


def terminal(home: Path, folder: Path, editor: str) -> "pexpect.spawn[str]":
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home), "VISUAL": "", "EDITOR": editor, "TERM": "xterm"}
    arguments = ["run", "Create a fibonacci function with tests", "--model", "scripted", "--approve-plan"]
    return pexpect.spawn(
        str(SOUNDSTAGE), arguments, cwd=str(folder), env=environment, encoding="utf-8", timeout=100,
        dimensions=(40, 200),
    )  # fmt: skip


def test_a_plan_is_shown_changed_and_carried_out(home: Path, tmp_path: Path, cli: Cli) -> None:
    child = terminal(home, tmp_path, "sed -i 's/Implement fibonacci/IMPLEMENT fibonacci/'")
    child.expect(r"new code, python")
    child.expect(r"2\. code \(code, after tests\): Implement fibonacci")
    child.expect(r"\[y/n/e to edit\] ")
    child.sendline("e")
    child.expect(r"2\. code \(code, after tests\): IMPLEMENT fibonacci")
    child.sendline("y")
    child.expect("SOLVED")
    child.expect(pexpect.EOF)
    task = json.loads(cli("tasks", "list", "--json").stdout)["id"]
    assert "IMPLEMENT fibonacci" in cli("tasks", "events", task, "--json").stdout


def test_what_is_wrong_with_a_change_is_said_and_the_plan_stays(home: Path, tmp_path: Path) -> None:
    for editor, said in (
        ("""sed -i 's/"role": "code"/"role": "painter"/'""", "no such roles"),
        ("sh -c 'exit 3'", "ended with 3"),
        ("no-such-editor", "cannot be started"),
    ):
        child = terminal(home, tmp_path, editor)
        child.expect(r"\[y/n/e to edit\] ")
        child.sendline("e")
        child.expect(said)
        child.expect(r"2\. code \(code, after tests\): Implement fibonacci")
        child.sendline("n")
        child.expect("the plan was not approved")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 1


def test_without_a_terminal_nobody_can_look_at_a_plan(cli: Cli) -> None:
    done = cli("run", "fibonacci", "--model", "scripted", "--approve-plan")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--approve-plan asks on the terminal" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--samples", "0"), "1 to 32"),
        (("--role-model", "review"), "ROLE=MODEL"),
        (("--role-model", "painter=scripted"), "no roles painter"),
        (("--plan", "missing.json"), "cannot be read"),
        (("--plan", "plan.json"), "cannot be used"),
    ],
)
def test_a_strategy_that_cannot_be_is_refused_before_anything_happens(
    arguments: tuple[str, ...], said: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "plan.json").write_text('{"kind": "fix"}')
    done = cli("run", "fibonacci", "--model", "scripted", *arguments)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
