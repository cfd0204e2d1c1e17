"""Tests of app/commands/doctor.py and app/commands/images.py, by the command line."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from sandbox import images
from sandbox.engine import DEFAULT_HOST
from sandbox.image_engine import OWN_BASE
from tests.app.conftest import Cli
from tests.sandbox.played_engine import played_engine
from tests.wire.openai_dialect import OpenAI
from tests.wire.replies import Json, Refuse, Reply, Say
from tests.wire.server import served


@pytest.mark.usefixtures("docker_engine")
def test_all_is_well_where_all_is_there(cli: Cli) -> None:
    done = cli("doctor", "--json")
    findings = {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stdout
    assert all(finding["ok"] for finding in findings.values())
    assert "runc" in findings["docker engine"]["found"]
    assert images.tag("python") in findings["sandbox images"]["found"]
    assert "OPENAI_API_KEY" in findings["model"]["remedy"]


def test_what_is_missing_is_said_with_the_remedy(cli: Cli) -> None:
    done = cli("doctor", DOCKER_HOST="unix:///nowhere/docker.sock", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert done.returncode == 3
    assert "✗ docker engine" in done.stdout
    assert "make engine" in done.stdout
    assert "✗ model" in done.stdout
    assert "✓ disk" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_model_that_the_server_does_not_have_is_found(cli: Cli) -> None:
    with served(OpenAI(), lambda _body: Refuse(400), models=("other",)) as server:
        done = cli("doctor", OPENAI_BASE_URL=server.url, SOUNDSTAGE_MODEL="mine")
    assert "mine is not among the 1 models" in done.stdout
    assert done.returncode == 3


def keys_found(cli: Cli, **environment: str) -> dict[str, Any]:
    done = cli("doctor", "--json", **environment)
    return next(finding for finding in map(json.loads, done.stdout.splitlines()) if finding["name"] == "keys")


def test_how_many_keys_each_provider_has_is_said_and_which_one_that_is_named_lacks_one(cli: Cli) -> None:
    assert keys_found(cli) == {"name": "keys", "ok": True, "found": "none is set or kept", "remedy": ""}
    with served(OpenAI(), ()) as server:
        there = {"OPENAI_API_KEY": "sk-fake-one-111,sk-fake-two-222", "OPENAI_BASE_URL": server.url}
        found = keys_found(cli, **there, GROQ_BASE_URL=server.url)
    assert (found["ok"], found["found"]) == (False, "openai-compatible: 2, groq: none")
    assert found["remedy"] == "soundstage keys add groq"
    found = keys_found(cli, SOUNDSTAGE_MODEL="cheapest:gpt-9,mistral/small,ollama/x")
    assert (found["ok"], found["found"]) == (False, "mistral: none")


def test_a_provider_whose_keys_were_all_refused_is_found_without_asking_it(cli: Cli) -> None:
    keys = {"OPENAI_API_KEY": "sk-fake-one-111,sk-fake-two-222"}
    refused = {f"Bearer {key}" for key in keys["OPENAI_API_KEY"].split(",")}

    def answer(_body: Json) -> Reply:
        return Refuse(401, "no") if server.requests[-1].headers["authorization"] in refused else Say("ready")

    with served(OpenAI(), answer) as server:
        there = {**keys, "OPENAI_BASE_URL": server.url}
        assert cli("models", "test", "m", **there).returncode == 3
        asked = len(server.chats)
        found = keys_found(cli, **there)
        assert (found["ok"], found["found"]) == (False, "openai-compatible: 2, refused")
        assert found["remedy"] == "soundstage keys check openai-compatible"
        refused.clear()
        cli("models", "test", "m", **there)
        found = keys_found(cli, **there)
        assert (found["ok"], found["found"]) == (True, "openai-compatible: 2")
    assert asked == 2


NO_IMAGE = b'{"message": "No such image"}'
LACKING = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
)


@pytest.mark.usefixtures("docker_engine")
async def test_with_several_engines_it_is_said_of_each_which_images_it_has(cli: Cli, tmp_path: Path) -> None:
    usual = os.environ.get("DOCKER_HOST") or DEFAULT_HOST
    async with played_engine(tmp_path, LACKING % (len(NO_IMAGE), NO_IMAGE)) as other:
        done = await asyncio.to_thread(cli, "doctor", "--json", DOCKER_HOST=f"{usual},{other}")

    findings = {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    found = findings["sandbox images"]
    assert not found["ok"]
    assert f"{usual}: " in found["found"]
    assert images.tag("python") in found["found"]
    assert found["found"].endswith(f"; {other}: none")
    assert "python" in found["remedy"]


@pytest.mark.usefixtures("docker_engine")
def test_an_image_that_is_there_is_not_built_again(cli: Cli) -> None:
    done = cli("images", "build", "python")
    assert done.returncode == 0
    assert done.stdout == f"{images.tag('python')} is up to date\n"
    notes = {line.split()[0]: line.partition("MiB")[2].strip() for line in cli("images", "list").stdout.splitlines()}
    assert notes[images.tag("python")] == ""
    assert notes.get(OWN_BASE) in {None, "(what the others are built on)"}


def test_a_language_that_there_is_not_is_named_with_those_there_are(cli: Cli) -> None:
    done = cli("images", "build", "python", "cobol")
    assert done.returncode == 2
    assert "cobol" in done.stderr
    assert "typescript" in done.stderr
    assert done.stdout == ""


@pytest.mark.usefixtures("docker_engine")
def test_pruning_names_only_images_of_other_versions(cli: Cli) -> None:
    for options in ([], ["--all"]):
        done = cli("images", "prune", "--dry-run", *options)
        assert done.returncode == 0
        assert not {images.tag(name) for name in images.languages()} & set(done.stdout.split())
        assert "soundstage-base" not in done.stdout
