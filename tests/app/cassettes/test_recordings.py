"""A run that is recorded against a server, and its replay without one: real containers, the same result."""

import json
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest

from app.demo_script import PLAN, RIGHT, TESTS, demo_model
from gateway.scripted import Line, Scene
from tests.app.conftest import Cli
from tests.app.test_cli_wire import in_text, play
from tests.wire.ollama_dialect import Ollama
from tests.wire.openai_dialect import OpenAI
from tests.wire.replies import Json, Refuse, Reply
from tests.wire.server import served

DEMO = ("run", "Create a fibonacci function with tests")
KEY = "sk-fake-0123456789"
SEEN = ("python3 -m pytest -q tests", "mktemp", "date +%s.%N; date -Ins", "python3 -c 'print(object())'")
"""Commands whose output differs each time."""

CURIOUS = (
    Scene(when=("You are the planner",), lines=(Line(text=json.dumps(PLAN)),)),
    Scene(
        when=("You are the test specialist",),
        lines=(
            Line(calls=(("write_file", json.dumps({"path": "tests/test_fib.py", "content": TESTS})),)),
            Line(calls=(("submit", json.dumps({"summary": "written"})),)),
        ),
    ),
    Scene(
        when=("You are the code specialist",),
        lines=(
            Line(calls=(("write_file", json.dumps({"path": "fibonacci.py", "content": RIGHT})),)),
            *(Line(calls=(("shell", json.dumps({"command": command})),)) for command in SEEN),
            Line(calls=(("submit", json.dumps({"summary": "done"})),)),
        ),
    ),
)


def outcome(done: "subprocess.CompletedProcess[str]") -> list[str]:
    """What a run came to: its result, its evidence with the tree's hash, and the files that it changed."""
    lines = done.stdout.splitlines()
    kept = [line for line in lines if re.match(r"(SOLVED|UNSOLVED|STOPPED|FAILED|evidence|changed)", line)]
    assert kept, done.stdout + done.stderr
    return kept


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize("scenes", [demo_model().scenes, CURIOUS], ids=["demo", "curious"])
def test_a_recorded_run_is_replayed_offline_with_the_same_result(
    cli: Cli, tmp_path: Path, home: Path, scenes: tuple[Scene, ...]
) -> None:
    refusals: list[Reply] = [Refuse(429, f"slow down, {KEY}", headers={"Retry-After": "0"})]

    def answer(body: Json) -> Reply:
        return refusals.pop() if refusals else play(scenes)(body)

    with served(OpenAI(), answer) as server:
        recorded = cli(
            *DEMO, "--record", "run.jsonl", "--patch", "1.diff", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY
        )
        asked = len(server.chats)
    assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    assert "recording what the model says in run.jsonl" in recorded.stdout
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == asked + 1
    assert KEY not in (tmp_path / "run.jsonl").read_text()

    replayed = cli(*DEMO, "--replay", "run.jsonl", "--patch", "2.diff", "--budget-usd", "0.01")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert outcome(replayed) == outcome(recorded)
    assert (tmp_path / "2.diff").read_text() == (tmp_path / "1.diff").read_text()
    assert "This is a replay of run.jsonl: what the model says was recorded with openai-compatible" in replayed.stdout
    assert "nothing is spent" in replayed.stdout
    assert "$0.0000" in replayed.stdout
    assert costs_of(home, "replay-openai-compatible") == {0}


@pytest.mark.usefixtures("docker_engine")
def test_recording_changes_nothing_of_a_run_with_several_keys_and_providers(
    cli: Cli, tmp_path: Path, home: Path
) -> None:
    """The first key is refused, then the provider is overloaded for good, and Ollama, without tools, does the rest."""
    route = "cheapest:openai-compatible/big,ollama/smollm2"
    (tmp_path / "own.toml").write_text(
        '[[model]]\nprovider = "ollama"\nid = "smollm2"\ncontext_tokens = 9_000\noutput_tokens = 4096\n'
        '[[price]]\nprovider = "openai-compatible"\nid = "*"\ninput = 0\noutput = 0\n'
    )
    settings = {"SOUNDSTAGE_MODELS_FILE": str(tmp_path / "own.toml")}
    keys: list[str] = []

    def overloaded(_body: Json) -> Reply:
        keys.append(server.requests[-1].headers["authorization"])
        return Refuse(401, "no") if KEY in keys[-1] else Refuse(500, "oops", headers={"Retry-After": "99"})

    with served(OpenAI(), overloaded) as server, served(Ollama(), in_text(demo_model().scenes)) as ollama:
        away = {
            "OPENAI_BASE_URL": server.url,
            "OPENAI_API_KEY": f"{KEY},sk-fake-another-one",
            "OLLAMA_HOST": ollama.url,
        }
        recorded = cli(*DEMO, "--model", route, "--record", "run.jsonl", **settings, **away)
        asked = len(ollama.chats)
    assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    assert keys[0] != keys[1] == keys[-1]
    assert asked > 3
    head, *lines = map(json.loads, (tmp_path / "run.jsonl").read_text().splitlines())
    assert (head["route"], head["providers"]) == (route, {"openai-compatible": 2, "ollama": 1})
    told = [(line["provider"], line["request"]["model"], line["reply"] is not None) for line in lines]
    assert set(told) == {("openai-compatible", "big", False), ("ollama", "smollm2", True)}
    assert told.count(("ollama", "smollm2", True)) == asked
    assert len(told) == asked + len(keys)

    replayed = cli(*DEMO, "--replay", "run.jsonl", **settings)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert outcome(replayed) == outcome(recorded)
    assert costs_of(home, "replay-ollama") == costs_of(home, "replay-openai-compatible") == {0}


def costs_of(home: Path, provider: str) -> set[int]:
    connection = sqlite3.connect(home / "soundstage.db")
    rows = connection.execute("SELECT cost FROM ledger WHERE provider = ?", (provider,)).fetchall()
    connection.close()
    return {cost for (cost,) in rows}


@pytest.mark.usefixtures("docker_engine")
def test_a_replay_of_another_task_fails_with_the_place_where_it_differs(cli: Cli) -> None:
    with served(OpenAI(), play(demo_model().scenes)) as server:
        assert cli(*DEMO, "--record", "run.jsonl", OPENAI_BASE_URL=server.url).returncode == 0
    done = cli("run", "Create a fibonacci function with many tests", "--replay", "run.jsonl")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "The replay met a request that run.jsonl has no answer to" in done.stderr
    assert "The nearest is exchange 1" in done.stderr
    assert "They differ first in messages[1].content" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.usefixtures("docker_engine")
def test_a_recording_is_never_written_over(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("mine")
    done = cli(*DEMO, "--model", "scripted", "--record", "mine.jsonl")
    assert done.returncode == 2
    assert "Name a new file with --record" in done.stderr
    assert (tmp_path / "mine.jsonl").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--replay", "gone.jsonl"), "gone.jsonl is no recording"),
        (("--replay", "empty.jsonl"), "holds no exchange with a model"),
        (("--replay", "empty.jsonl", "--model", "scripted"), "Leave --model out"),
        (("--replay", "empty.jsonl", "--record", "new.jsonl"), "Leave --record or --replay out"),
    ],
)
def test_a_recording_that_cannot_be_replayed_is_wrong_usage(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "empty.jsonl").write_text('{"soundstage_cassette": 1, "provider": "p"}\n')
    done = cli(*DEMO, *arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "new.jsonl").exists()
