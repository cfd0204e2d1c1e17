"""The main job by the command line: scripted model, real containers."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from app.settings import Settings
from sandbox.engine import DEFAULT_HOST
from tests.app.conftest import SOUNDSTAGE, Cli, containers_of

pytestmark = pytest.mark.usefixtures("docker_engine")

DEMO = ("run", "Create a fibonacci function with tests", "--model", "scripted")


def _home_id(home: Path) -> str:
    return Settings(soundstage_home=home).home_id


def test_the_demo_is_planned_tested_corrected_and_solved(cli: Cli, home: Path, tmp_path: Path) -> None:
    done = cli(*DEMO, "--out", "result", "--patch", "fib.diff")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "canned (scripted model)" in lines[0]
    order = ["plan (new_code)", "on the stub: 10 failed", "9 failed", "correction, attempt 2", "SOLVED (checked)"]
    places = [next(at for at, line in enumerate(lines) if mark in line) for mark in order]
    assert places == sorted(places)
    assert "6 of 6 changed lines covered" in done.stdout
    assert sorted(path.name for path in (tmp_path / "result").rglob("*.py")) == ["fibonacci.py", "test_fibonacci.py"]
    checked = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "result", capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    fresh = tmp_path / "fresh"
    subprocess.run(["git", "init", "-q", str(fresh)], check=True)
    subprocess.run(["git", "apply", str(tmp_path / "fib.diff")], cwd=fresh, check=True)
    assert (fresh / "fibonacci.py").read_bytes() == (tmp_path / "result" / "fibonacci.py").read_bytes()
    assert containers_of(_home_id(home)) == []


def test_json_lines_are_the_events_without_a_gap(cli: Cli) -> None:
    done = cli(*DEMO, "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["fact"]["type"] == "task_submitted"
    result = events[-1]["fact"]["result"]
    assert (result["status"], result["grade"], result["attempts"]) == ("solved", "checked", 2)
    assert "canned" in done.stderr.splitlines()[0]


def test_an_engine_that_does_not_answer_is_passed_over_from_the_start_while_another_does(cli: Cli) -> None:
    usual = os.environ.get("DOCKER_HOST") or DEFAULT_HOST
    done = cli(*DEMO, DOCKER_HOST=f"unix:///nowhere/docker.sock,{usual}")
    assert done.returncode == 0, done.stderr
    assert "SOLVED (checked)" in done.stdout


def test_the_tasks_commands_tell_what_was_done(cli: Cli) -> None:
    assert "No tasks yet" in cli("tasks", "list").stdout
    run = cli(*DEMO)
    found = re.search(r"^task (\w+)$", run.stdout, re.MULTILINE)
    assert found is not None
    task = found[1]
    assert task in cli("tasks", "list").stdout
    assert json.loads(cli("tasks", "list", "--json").stdout)["status"] == "solved"
    shown = cli("tasks", "show", task[:6]).stdout
    assert "grade     checked" in shown
    assert json.loads(cli("tasks", "show", task, "--json").stdout)["status"] == "solved"
    events = cli("tasks", "events", task).stdout
    assert "correction, attempt 2" in events
    assert len(cli("tasks", "events", task, "--json").stdout.splitlines()) == len(events.splitlines())
    assert "+def fibonacci(n: int) -> int:" in cli("tasks", "patch", task).stdout


def test_a_reader_that_goes_away_does_not_keep_the_result_from_its_files(home: Path, tmp_path: Path) -> None:
    command = f"{SOUNDSTAGE} run fibonacci --model scripted --out result --patch p.diff; echo $? > code"
    done = subprocess.run(
        f"({command}) | head -n 2", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "SOUNDSTAGE_HOME": str(home)},
    )  # fmt: skip
    assert (tmp_path / "result" / "fibonacci.py").is_file()
    assert (tmp_path / "p.diff").is_file()
    assert (tmp_path / "code").read_text() == "0\n"
    assert done.stderr == ""


def test_a_reader_that_goes_away_is_no_traceback(home: Path, cli: Cli) -> None:
    assert cli(*DEMO).returncode == 0
    done = subprocess.run(
        f"{SOUNDSTAGE} tasks list --json | true; {SOUNDSTAGE} tasks list --json | head -c 1",
        shell=True, capture_output=True, text=True, check=False, env={**os.environ, "SOUNDSTAGE_HOME": str(home)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_a_terminal_shows_the_plan_the_step_tokens_cost_and_time(home: Path, tmp_path: Path) -> None:
    child = _terminal(home, tmp_path)
    child.expect(pexpect.EOF)
    child.close()
    shown = child.before or ""
    assert child.exitstatus == 0
    assert re.search(r"[\d,]+ tokens   \$0\.0000", shown)
    assert "✓ tests" in shown
    assert re.search(r"▶ code|✓ code", shown)
    assert "SOLVED (checked)" in shown


def test_ctrl_c_ends_the_containers_and_keeps_the_snapshot(home: Path, tmp_path: Path, cli: Cli) -> None:
    child = _terminal(home, tmp_path)
    child.expect("new tests on the stub")
    child.sendintr()
    child.expect("Interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert containers_of(_home_id(home)) == []
    task = json.loads(cli("tasks", "list", "--json").stdout)
    assert task["status"] == "cancelled"
    assert "test_a_negative_number_is_refused" in cli("tasks", "patch", task["id"]).stdout


def test_kill_9_leaves_no_container_and_the_next_command_ends_the_task(home: Path, tmp_path: Path, cli: Cli) -> None:
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    process = subprocess.Popen(
        [str(SOUNDSTAGE), *DEMO], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if "clean room" in line:
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
    for _ in range(100):
        if not containers_of(_home_id(home)):
            break
        time.sleep(0.1)
    assert containers_of(_home_id(home)) == []
    killed = json.loads(cli("tasks", "list", "--json").stdout)
    assert killed["status"] == "failed"
    assert "process that worked on it ended" in cli("tasks", "show", killed["id"]).stdout
    assert "test_a_negative_number_is_refused" in cli("tasks", "patch", killed["id"]).stdout


def test_a_person_is_asked_on_the_terminal_before_a_specialist_acts(home: Path, tmp_path: Path, cli: Cli) -> None:
    child = _terminal(home, tmp_path, "--approve", "destructive")
    child.expect(r"May the test specialist use write_file\? .*test_fibonacci.py.* \[y/n\] ")
    child.sendline("perhaps")
    child.expect(r"\[y/n\] ")
    child.sendline("y")
    child.expect(r"May the code specialist use write_file\? .* \[y/n\] ")
    child.sendline("n")
    child.expect(r"the person at the terminal refused code:1:1:1")
    while child.expect([r"\[y/n\] ", "SOLVED"]) == 0:
        child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    task = json.loads(cli("tasks", "list", "--json").stdout)["id"]
    lines = [json.loads(line) for line in cli("audit", "--task", task[:8], "--json").stdout.splitlines()]
    refused = [line["entry"] for line in lines if line["entry"]["verdict"] == "refused"]
    assert [(entry["actor"], entry["tool"]) for entry in refused] == [("code specialist", "write_file")]
    assert "the person at the terminal refused" in refused[0]["reason"]


def test_a_question_goes_when_the_run_is_interrupted(home: Path, tmp_path: Path, cli: Cli) -> None:
    child = _terminal(home, tmp_path, "--approve", "always")
    child.expect(r"\[y/n\] ")
    child.sendintr()
    child.expect("Interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert json.loads(cli("tasks", "list", "--json").stdout)["status"] == "cancelled"
    assert containers_of(_home_id(home)) == []


def _terminal(home: Path, folder: Path, *options: str) -> "pexpect.spawn[str]":
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home), "TERM": "xterm-256color"}
    return pexpect.spawn(
        str(SOUNDSTAGE),
        [*DEMO, *options],
        env=environment,
        cwd=str(folder),
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 160),
    )
