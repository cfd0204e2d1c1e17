"""``soundstage models`` by the command line, against servers that speak the wire format."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app.commands.model_trial import try_model
from app.settings import Settings
from tests.app.conftest import Cli
from tests.wire.ollama_dialect import Ollama
from tests.wire.openai_dialect import OpenAI, OpenAIServer
from tests.wire.replies import Raw, Refuse, Reply, Say
from tests.wire.server import refusing_url, served

OWN = """
[[model]]
provider = "openai-compatible"
id = "test-model"
strength = 4
roles = ["code"]

[[price]]
provider = "openai-compatible"
id = "test-*"
input = 1
output = 2.5
"""


def answer(body: dict[str, Any]) -> Reply:
    """What a model says that can do all of it."""
    if "tools" in body:
        return Say(calls=(("report", json.dumps({"number": 7})),))
    return Say(json.dumps({"number": 7}) if "response_format" in body else "ready")


def clumsy(body: dict[str, Any]) -> Reply:
    """What a model says that can only talk."""
    return Refuse(400, "no schemas here") if "response_format" in body else Say("ready: seven")


def listed(cli: Cli, *arguments: str, **environment: str) -> dict[str, dict[str, Any]]:
    done = cli("models", "list", "--json", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {f"{line['provider']}/{line['id']}": line for line in lines}


def test_the_catalogue_is_listed_with_prices_where_no_provider_is_at_hand(cli: Cli) -> None:
    found = listed(cli)

    mini, luna, qwen = found["openai/gpt-5-mini"], found["openai/gpt-5.6-luna*"], found["ollama/qwen3*"]
    assert mini["price"] == {
        "input": "0.25",
        "cached_input": "0.025",
        "cache_write": "0.25",
        "output": "2",
        "dearer_above": None,
    }
    assert mini["capabilities"] == ["images", "json_schema", "reasoning", "tools"]
    assert (mini["default"], mini["offered"], mini["context_tokens"]) == (True, False, 400_000)
    assert luna["price"] is None
    assert found["openai/gpt-6.1-sol"]["price"]["dearer_above"] == 272_000
    assert qwen["price"]["output"] == "0"


def test_what_a_provider_offers_is_listed_with_what_is_known_of_it(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    with served(OpenAI(), (), models=("test-model", "other", "Qwen3-8B")) as server:
        environment = {"OPENAI_BASE_URL": server.url, "SOUNDSTAGE_MODELS_FILE": str(tmp_path / "own.toml")}
        found = listed(cli, "--provider", "openai-compatible", **environment)
        table = cli("models", "list", "--provider", "openai-compatible", **environment).stdout

    assert {name for name, model in found.items() if model["offered"]} == {
        "openai-compatible/test-model", "openai-compatible/other", "openai-compatible/Qwen3-8B",
    }  # fmt: skip
    assert found["openai-compatible/test-model"]["price"]["output"] == "2.5"
    other = found["openai-compatible/other"]
    assert (other["known"], other["price"]["output"]) == (False, "0")
    assert found["openai-compatible/Qwen3-8B"]["strength"] == 2
    assert "openai/gpt-5-mini" not in found
    (line,) = [line for line in table.splitlines() if "test-model" in line]
    assert line.split()[1:6] == ["test-model", "✓", "8,192", "4,096", "1/2.5"]
    assert "strength 4 for code" in line
    assert any("other ✓" in line and " free " in line and "not known" in line for line in table.splitlines())


def test_a_provider_that_does_not_answer_is_named_and_the_catalogue_is_listed_all_the_same(cli: Cli) -> None:
    done = cli("models", "list", OPENAI_BASE_URL=refusing_url(OpenAI()), OPENAI_MODEL="m")

    assert done.returncode == 0
    assert "openai-compatible does not list its models: No connection" in done.stderr
    assert "gpt-5-mini" in done.stdout


def test_a_local_ollama_is_asked_besides(cli: Cli) -> None:
    with served(OpenAI(), (), models=("mine",)) as server, served(Ollama(), (), models=("smollm2:135m",)) as ollama:
        found = listed(cli, OPENAI_BASE_URL=server.url, OLLAMA_HOST=ollama.url)

    offered = {name for name, model in found.items() if model["offered"]}
    assert offered == {"openai-compatible/mine", "ollama/smollm2:135m"}


def test_a_provider_that_nobody_knows_is_wrong_usage(cli: Cli) -> None:
    done = cli("models", "list", "--provider", "acme")
    assert done.returncode == 2
    assert "groq, mistral, ollama, openai" in done.stderr


def test_a_broken_file_of_ones_own_is_wrong_usage_before_anything_happens(cli: Cli, home: Path) -> None:
    home.mkdir()
    (home / "models.toml").write_text(OWN.replace("strength = 4", "strength = 9"))

    for command in (("models", "list"), ("models", "test", "scripted"), ("run", "fibonacci", "--model", "scripted")):
        done = cli(*command)
        assert done.returncode == 2
        assert "models.toml: model 1 (openai-compatible test-model), strength: Input should be" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_a_model_that_can_do_all_of_it_is_tried_and_its_calls_are_in_the_ledger(cli: Cli, home: Path) -> None:
    home.mkdir()
    (home / "models.toml").write_text(OWN)
    with served(OpenAI(), answer) as server:
        done = cli("models", "test", "--json", OPENAI_BASE_URL=server.url)
        shown = cli("models", "test", "test-model", OPENAI_BASE_URL=server.url)

    trials = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [(trial["name"], trial["ok"], trial["problem"]) for trial in trials] == [
        ("text", True, ""), ("tools", True, ""), ("json", True, ""),
    ]  # fmt: skip
    assert all((trial["input_tokens"], trial["output_tokens"]) == (11, 7) for trial in trials)
    assert all(trial["cost"] == 11 * 1000 + 7 * 2500 and trial["latency_s"] > 0 for trial in trials)
    assert [line[:2] for line in shown.stdout.splitlines()[1:]] == ["✓ "] * 3
    costs = json.loads(cli("costs", "--by", "purpose", "--json").stdout)
    assert (costs["purpose"], costs["attempts"], costs["cost_nano_usd"]) == ("trial", 6, 6 * 28_500)


def test_a_model_that_can_only_talk_passes_and_what_it_lacks_is_said(cli: Cli) -> None:
    with served(OpenAI(), clumsy) as server:
        done = cli("models", "test", OPENAI_BASE_URL=server.url)

    _, text, tools, schema = done.stdout.splitlines()
    assert done.returncode == 0
    assert text.startswith("✓ text")
    assert "$0.0000" in text
    assert tools.startswith("✗ tools")
    assert tools.endswith("the tool was not called")
    assert schema.startswith("✗ json  The provider refused the request (HTTP 400)")
    assert "no schemas here" in schema


@pytest.mark.parametrize("reply", [Refuse(500), Say(""), Raw(b"nonsense"), Refuse(404)], ids=repr)
async def test_a_model_that_does_not_answer_in_text_fails_and_is_asked_no_more(
    reply: Reply, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with OpenAIServer([reply]) as server:
        code = await try_model(Settings(soundstage_home=home, openai_base_url=server.url), "m", False)

    assert code == 3
    assert len(server.chats) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("✗ text")


async def test_a_trial_is_held_to_the_budgets_and_leaves_them_as_they_are(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(OWN)
    async with OpenAIServer([]) as server:
        settings = Settings(
            soundstage_home=home, soundstage_models_file=own, openai_base_url=server.url,
            soundstage_day_budget_usd="0.000001", soundstage_user_budget_usd="5",
        )  # fmt: skip
        code = await try_model(settings, "test-model", False)

    assert code == 3
    assert server.chats == []
    assert "Raise the budget with SOUNDSTAGE_DAY_BUDGET_USD" in capsys.readouterr().out
    with contextlib.closing(sqlite3.connect(home / "soundstage.db")) as database:
        found = dict(database.execute("SELECT substr(scope, 1, 4), cap FROM budget WHERE cap IS NOT NULL"))
    assert found == {"day:": 1_000, "user": 5_000_000_000}


@pytest.mark.parametrize(
    ("said", "problem"),
    [("seven", "no JSON"), ("[7]", "not of the schema"), ('{"number": "7"}', "not of the schema"), ("", "no JSON")],
)
async def test_json_that_is_none_or_another_is_told_apart(
    said: str, problem: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replies = [Say("ready"), Say(calls=(("report", said),)), Say(said)]
    async with OpenAIServer(replies) as server:
        code = await try_model(Settings(soundstage_home=home, openai_base_url=server.url), "m", True)

    _, tools, schema = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert code == 0
    assert problem in tools["problem"]
    assert problem in schema["problem"]
