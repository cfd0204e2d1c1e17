"""The command line against a server that speaks OpenAI's wire format: other models, other troubles, real containers."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.demo_script import PLAN, RIGHT, TESTS, demo_model
from gateway.scripted import Line, Scene
from tests.app.conftest import Cli
from tests.wire.groq_dialect import Groq
from tests.wire.ollama_dialect import Ollama
from tests.wire.openai_dialect import OpenAI
from tests.wire.replies import Refuse, Reply, Say
from tests.wire.server import refusing_url, served

pytestmark = pytest.mark.usefixtures("docker_engine")

DEMO = ("run", "Create a fibonacci function with tests")
KEY = "sk-fake-0123456789"


def play(scenes: Sequence[Scene]) -> Callable[[dict[str, Any]], Reply]:
    """A server's answers by the rules of the scripted model."""

    def answer(body: dict[str, Any]) -> Reply:
        heard = "\n".join(message["content"] for message in body["messages"])
        spoken = sum(message["role"] == "assistant" for message in body["messages"])
        for scene in scenes:
            if all(text in heard for text in scene.when):
                line = scene.lines[min(spoken, len(scene.lines) - 1)]
                return Say(line.text, line.calls)
        return Say("I have nothing to say.")

    return answer


def in_text(scenes: Sequence[Scene]) -> Callable[[dict[str, Any]], Reply]:
    """The same, for a server that refuses tools and a model that acts in plain text, one action a reply."""

    def answer(body: dict[str, Any]) -> Reply:
        if "tools" in body:
            return Refuse(400, "this model does not support tools")
        said = play(scenes)(body)
        assert isinstance(said, Say)
        for name, arguments in said.calls:
            given = json.loads(arguments)
            if name == "write_file":
                return Say(f"Here it is.\n\n```python path={given['path']}\n{given['content']}```\n")
            if name == "submit":
                return Say(f"SUBMIT: {given['summary']}")
        return said

    return answer


DEMO_SCENES = demo_model().scenes


def test_any_compatible_server_does_the_main_job(cli: Cli) -> None:
    with served(OpenAI(), play(DEMO_SCENES), models=("some-model", "other")) as server:
        done = cli(*DEMO, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "model: some-model" in done.stdout
    assert "canned" not in done.stdout
    assert "SOLVED (checked)" in done.stdout
    assert all(request.headers["authorization"] == f"Bearer {KEY}" for request in server.requests)
    assert KEY not in done.stdout + done.stderr


def test_a_model_without_tools_does_the_main_job_in_plain_text(cli: Cli) -> None:
    with served(OpenAI(), in_text(DEMO_SCENES)) as server:
        done = cli(*DEMO, OPENAI_BASE_URL=server.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SOLVED (checked)" in done.stdout


def test_a_rambling_model_ends_with_a_typed_status_and_no_traceback(cli: Cli) -> None:
    rambling = 'Sure! Let me think about numbers. {"kind": "new_co ... ```\x1b]0;gotcha\x07 <script>' * 5
    with served(OpenAI(), lambda _body: Say(rambling)) as server:
        done = cli(*DEMO, OPENAI_BASE_URL=server.url)
    assert done.returncode == 1
    assert "so it is one subtask" in done.stdout
    assert "stopped (malformed)" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout


def test_a_model_that_never_submits_is_stopped_and_its_work_is_verified(cli: Cli) -> None:
    looping = (
        Scene(when=("You are the planner",), lines=(Line(text=json.dumps(PLAN)),)),
        Scene(
            when=("You are the test specialist",),
            lines=tuple(
                Line(calls=(("write_file", json.dumps({"path": "tests/test_fib.py", "content": TESTS + f"# {at}\n"})),))
                for at in range(50)
            ),
        ),
        Scene(
            when=("You are the code specialist",),
            lines=tuple(
                Line(calls=(("write_file", json.dumps({"path": "fibonacci.py", "content": RIGHT + f"# {at}\n"})),))
                for at in range(50)
            ),
        ),
    )
    with served(OpenAI(), play(looping)) as server:
        done = cli(*DEMO, "--max-steps", "4", OPENAI_BASE_URL=server.url)
    assert "stopped (steps)" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SOLVED (checked)" in done.stdout


def test_a_wrong_key_is_said_without_showing_it(cli: Cli, home: Path) -> None:
    with served(OpenAI(), lambda _body: Refuse(401, f"Incorrect API key provided: {KEY}", "invalid_api_key")) as server:
        done = cli(*DEMO, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
    assert done.returncode == 3
    assert "refused the API key" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_an_unknown_model_is_wrong_usage(cli: Cli) -> None:
    with served(OpenAI(), lambda _body: Refuse(404, "The model 'nope' does not exist", "model_not_found")) as server:
        done = cli(*DEMO, "--model", "nope", OPENAI_BASE_URL=server.url)
    assert done.returncode == 2
    assert "does not know the model 'nope'" in done.stderr


def test_a_limited_rate_is_waited_for(cli: Cli) -> None:
    refusals = [Refuse(429, "slow down", headers={"Retry-After": "0"}), Refuse(500, "oops")]

    def answer(body: dict[str, Any]) -> Reply:
        return refusals.pop() if refusals else play(DEMO_SCENES)(body)

    with served(OpenAI(), answer) as server:
        done = cli(*DEMO, OPENAI_BASE_URL=server.url)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_token_limit_stops_before_the_call_that_could_break_it(cli: Cli) -> None:
    with served(Groq(), play(DEMO_SCENES)) as server:
        environment = {"GROQ_BASE_URL": server.url, "GROQ_API_KEY": KEY}
        done = cli(*DEMO, "--max-tokens", "3000", "--budget-usd", "1", "--model", "groq/unheard-of", **environment)
    assert done.returncode == 1
    assert "No price is known" in done.stdout
    assert "so it was not made" in done.stdout
    assert len(server.chats) <= 1


def test_the_users_own_tests_are_proof(cli: Cli, tmp_path: Path) -> None:
    mine = tmp_path / "test_mine.py"
    mine.write_text(TESTS)
    scenes = [scene for scene in DEMO_SCENES if "You are the test specialist" not in scene.when]
    with served(OpenAI(), play(scenes)) as server:
        done = cli(*DEMO, "--planning", "always", "--tests", str(mine), "--out", "result", OPENAI_BASE_URL=server.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SOLVED (proven)" in done.stdout
    assert "the test specialist begins" not in done.stdout
    assert (tmp_path / "result" / "tests" / "test_mine.py").read_text() == TESTS


def test_a_bug_in_a_repository_is_fixed_and_the_rest_stays(cli: Cli, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    _git_repository(repo)
    plan = {"kind": "fix", "subtasks": [{"id": "fix", "role": "code", "goal": "Mend add in calc.py.", "needs": []}]}
    edit = {"path": "calc.py", "old": "return a - b", "new": "return a + b"}
    scenes = (
        Scene(when=("You are the planner",), lines=(Line(text=f"Thinking...\n```json\n{json.dumps(plan)}\n```"),)),
        Scene(
            when=("You are the code specialist",),
            lines=(
                Line(calls=(("edit_file", json.dumps(edit)),)),
                Line(calls=(("submit", json.dumps({"summary": "plus, not minus"})),)),
            ),
        ),
    )
    command = ("run", "add returns wrong sums", "--repo", "repo", "--test-command", "python3 -m pytest -q")
    with served(OpenAI(), play(scenes)) as server:
        done = cli(*command, "--patch", "fix.diff", OPENAI_BASE_URL=server.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SOLVED (proven)" in done.stdout
    assert "changes that are not committed" in done.stdout
    patch = (tmp_path / "fix.diff").read_text()
    assert [line for line in patch.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "-    return a - b",
        "+    return a + b",
    ]
    assert "return a - b" in (repo / "calc.py").read_text()


def _git_repository(repo: Path) -> None:
    (repo / "tests").mkdir(parents=True)
    (repo / "calc.py").write_text("def add(a, b):\n    return a - b\n\n\ndef twice(a):\n    return 2 * a\n")
    (repo / "tests" / "test_calc.py").write_text(
        "from calc import add, twice\n\n\ndef test_add():\n    assert add(2, 3) == 5\n\n\n"
        "def test_twice():\n    assert twice(2) == 4\n"
    )
    (repo / "notes.txt").write_text("unrelated\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *arguments], cwd=repo, check=True)
    (repo / "notes.txt").write_text("not committed\n")


@pytest.mark.parametrize("named", [{"OPENAI_MODEL": "far"}, {}], ids=["named", "not named"])
def test_with_no_cloud_provider_in_reach_the_work_goes_on_with_ollama(cli: Cli, named: dict[str, str]) -> None:
    with served(Ollama(), in_text(DEMO_SCENES), models=("smollm2",)) as ollama:
        away = {"OPENAI_BASE_URL": refusing_url(OpenAI()), **named}
        done = cli(*DEMO, "--json", **away, OLLAMA_HOST=ollama.url)

    assert done.returncode == 0, done.stdout + done.stderr
    facts = [json.loads(line)["fact"] for line in done.stdout.splitlines() if '"fact"' in line]
    called = [fact for fact in facts if fact["type"] == "model_called"]
    assert {(fact["provider"], fact["model"]) for fact in called} == {("ollama", "smollm2")}


STRAIGHT = (
    Scene(when=("You are the planner",), lines=(Line(text=json.dumps(PLAN)),)),
    *(
        Scene(
            when=(f"You are the {role} specialist",),
            lines=(
                Line(calls=(("write_file", json.dumps({"path": path, "content": content})),)),
                Line(calls=(("submit", json.dumps({"summary": "done"})),)),
            ),
        )
        for role, path, content in (("test", "tests/test_fib.py", TESTS), ("code", "fibonacci.py", RIGHT))
    ),
)


def test_with_the_cache_the_same_task_again_sends_nothing_and_without_it_all_of_it(cli: Cli) -> None:
    with served(OpenAI(), play(STRAIGHT)) as server:
        sent: list[int] = []
        for options in (["--cache"], ["--cache"], [], ["--cache", "--record", "run.jsonl"], ["--no-cache"]):
            set_on = {"SOUNDSTAGE_RESPONSE_CACHE": "1"} if len(sent) in {1, 4} else {}
            done = cli(*DEMO, *options, OPENAI_BASE_URL=server.url, **set_on)
            assert done.returncode == 0, done.stdout + done.stderr
            sent.append(len(server.chats))
        assert cli(*DEMO, OPENAI_BASE_URL=server.url, SOUNDSTAGE_RESPONSE_CACHE="1").returncode == 0
        sent.append(len(server.chats))
    assert sent == [8, 8, 16, 24, 32, 32]
    costs = json.loads(cli("costs", "--by", "provider", "--json").stdout)
    assert (costs["attempts"], costs["hits"]) == (32, 16)


def test_a_model_that_calls_no_tools_writes_a_function_by_drafts_and_a_later_round_mends_it(cli: Cli) -> None:
    said: list[str] = []

    def answer(body: dict[str, Any]) -> Reply:
        said.append(body["messages"][0]["content"])
        # Wrong in another way each time, until it is shown what is wrong.
        right = "This is wrong" in said[-1] and "assert" in said[-1]
        return Say(f"```python\ndef double(n):\n    return {'2 * n' if right else f'n + {len(said)}'}\n```")

    prompt = "Write a Python function `double(n: int) -> int`. double(100) == 200, double(-70) == -140"
    with served(OpenAI(), answer, models=("smollm2",)) as server:
        done = cli("run", prompt, OPENAI_BASE_URL=server.url)
        assert all("tools" not in chat for chat in server.chats)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SOLVED (proven)" in done.stdout
    assert len(said) == 17
    assert "none of 16 drafts of double.py passed its tests" in done.stdout
