"""Tests of app/commands/doctor.py and app/commands/images.py, by the command line."""

import json

import pytest

from sandbox import images
from tests.app.conftest import Cli
from tests.wire.openai_dialect import OpenAI
from tests.wire.replies import Refuse
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


@pytest.mark.usefixtures("docker_engine")
def test_an_image_that_is_there_is_not_built_again(cli: Cli) -> None:
    done = cli("images", "build", "python")
    assert done.returncode == 0
    assert done.stdout == f"{images.tag('python')} is up to date\n"
    assert images.tag("python") in cli("images", "list").stdout


def test_a_language_that_there_is_not_is_named_with_those_there_are(cli: Cli) -> None:
    done = cli("images", "build", "python", "cobol")
    assert done.returncode == 2
    assert "cobol" in done.stderr
    assert "typescript" in done.stderr
    assert done.stdout == ""


@pytest.mark.usefixtures("docker_engine")
def test_pruning_names_only_images_of_other_versions(cli: Cli) -> None:
    done = cli("images", "prune", "--dry-run")
    assert done.returncode == 0
    assert not {images.tag(name) for name in images.languages()} & set(done.stdout.split())
    assert "soundstage-base" not in done.stdout
