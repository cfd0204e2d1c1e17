"""``soundstage sandbox`` and ``soundstage doctor --sandbox``, on real containers."""

import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from app.settings import Settings
from tests.app.conftest import SOUNDSTAGE, Cli, containers_of

pytestmark = pytest.mark.usefixtures("docker_engine")
KEYS = {"verdict", "exit_code", "stdout", "stderr", "duration_s", "usage", "isolation"}


def run(cli: Cli, *argv: str, stdin: str = "", options: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    """``soundstage sandbox exec`` in a small sandbox."""
    return cli("sandbox", "exec", "--profile", "small", *options, "--", *argv, stdin=stdin)


def test_output_input_and_exit_code_are_those_of_the_command(cli: Cli) -> None:
    done = run(cli, "sh", "-c", "cat; echo wrong >&2; exit 7", stdin="some\ninput")

    assert (done.returncode, done.stdout, done.stderr) == (7, "some\ninput", "wrong\n")


def test_json_is_one_object_with_the_result_and_what_it_used(cli: Cli) -> None:
    done = run(cli, "sh", "-c", "echo out; printf '\\377' >&2; exit 3", options=("--json",))

    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert set(told) == KEYS | {"stderr_base64"}
    assert (told["verdict"], told["exit_code"], told["stdout"], told["stderr_base64"]) == ("failed", 3, "out\n", "/w==")
    assert done.returncode == 3
    assert told["usage"]["cpu_s"] > 0
    assert told["usage"]["peak_memory"] > 0
    assert told["usage"]["output_bytes"] == 5
    assert told["isolation"] == "docker/runc"


@pytest.mark.parametrize(
    ("script", "options", "code", "verdict"),
    [
        ("sleep 60", ("--timeout", "0.5"), 124, "timeout"),
        ("cat /dev/zero", (), 125, "output_limit"),
        ("python3 -c 'x = bytearray(10**9)'", (), 137, "oom"),
        ("kill -9 $$", (), 137, "killed"),
        ("no-such-program", (), 127, "failed"),
    ],
)
def test_each_end_has_a_verdict_and_an_exit_code_of_its_own(
    cli: Cli, script: str, options: tuple[str, ...], code: int, verdict: str
) -> None:
    done = run(cli, "sh", "-c", script, options=(*options, "--json"))

    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (code, verdict)


def test_a_folder_goes_in_and_what_was_written_comes_out(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "name").write_text("world")

    done = run(cli, "sh", "-c", "echo hello $(cat a/name) > greeting", options=("--files", "in", "--out", "out"))

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "greeting").read_text() == "hello world\n"
    assert [place.name for place in (tmp_path / "out").iterdir()] == ["greeting"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--language", "cobol"), "Use one of"),
        (("--profile", "huge"), "Use one of"),
        (("--isolation", "jail"), "Use one of"),
        (("--timeout", "0"), "--timeout cannot be used"),
        (("--files", "missing"), "--files"),
        (("--out", "."), "--out"),
    ],
)
def test_wrong_usage_says_what_is_wrong_and_leaves_nothing(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "mine").write_text("mine")

    done = cli("sandbox", "exec", *options, "--", "true")

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "mine").read_text() == "mine"


def test_an_image_that_is_not_there_and_an_engine_that_does_not_answer_are_told_apart(cli: Cli) -> None:
    missing = cli("sandbox", "exec", "--image", "soundstage-test-none:1", "--", "true")
    away = cli("sandbox", "exec", "--", "true", DOCKER_HOST="unix:///nonexistent.sock")

    told = cli("sandbox", "exec", "--json", "--image", "soundstage-test-none:1", "--", "true")

    assert (missing.returncode, away.returncode, told.returncode) == (3, 3, 3)
    assert json.loads(told.stdout)["verdict"] == "infrastructure"
    assert "No such image" in json.loads(told.stdout)["error"]
    assert "No such image" in missing.stderr
    assert "make engine" in away.stderr


def test_escapes_reach_a_pipe_as_they_are_and_no_terminal(home: Path) -> None:
    script = "printf 'a\\033]0;owned\\007b\\033[31mc\\n'"
    command = [str(SOUNDSTAGE), "sandbox", "exec", "--profile", "small", "--", "sh", "-c", script]
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    piped = subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=True)
    ours, theirs = pty.openpty()
    try:
        subprocess.run(command, env=environment, stdout=theirs, stdin=subprocess.DEVNULL, check=True)
        shown = os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)

    assert piped.stdout == b"a\x1b]0;owned\x07b\x1b[31mc\n"
    assert shown == b"abc\r\n"


def test_an_interrupted_command_leaves_no_container(home: Path) -> None:
    command = [str(SOUNDSTAGE), "sandbox", "exec", "--profile", "small", "--", "sh", "-c", "echo on; sleep 60"]
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"on\n"
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130

    assert containers_of(Settings(soundstage_home=home).home_id) == []


def test_sandboxes_are_listed_with_their_owner_and_only_dead_owners_are_reaped(cli: Cli, home: Path) -> None:
    assert cli("sandbox", "list").returncode == 0
    command = [str(SOUNDSTAGE), "sandbox", "exec", "--profile", "small", "--", "sh", "-c", "echo on; sleep 60"]
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"on\n"
        (mine,) = containers_of(Settings(soundstage_home=home).home_id)

        rows = [json.loads(line) for line in cli("sandbox", "list", "--json").stdout.splitlines()]
        reaped = json.loads(cli("sandbox", "reap", "--json").stdout)

        assert [(row["state"], row["owner"]) for row in rows if row["name"] == mine.name] == [("running", "alive")]
        assert mine.name not in reaped["removed"]
        assert mine.name in cli("sandbox", "list").stdout
        running.kill()
        running.wait(60)


def test_the_doctor_finds_every_property_of_a_live_sandbox_in_place(cli: Cli) -> None:
    done = cli("doctor", "--sandbox", "--json")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, [one for one in found if not one["ok"]]
    assert len(found) > 25
    assert {"network mode is none", "commands hold no capability", "only the loopback interface"} <= {
        one["name"] for one in found
    }
