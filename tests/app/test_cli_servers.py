"""Tests of ``soundstage servers``, with a real server in a real container."""

import json
from pathlib import Path

import pytest

from app.terminal import PERSON
from tests.app.conftest import Cli, containers_of
from tests.mcp_server.external.stage import PROGRAM


def write(home: Path, trick: str = "") -> None:
    """A home with a server that plays a trick."""
    (home / "tools").mkdir(exist_ok=True, parents=True)
    (home / "tools" / "speaker.py").write_bytes(PROGRAM)
    command = f'["python3", "-u", "speaker.py", "{trick}"]'
    (home / "servers.toml").write_text(
        f'[server.speaker]\ncommand = {command}\nfiles = "tools"\nprofile = "small"\nconnect_s = 60\n'
    )


@pytest.mark.usefixtures("docker_engine")
def test_tools_are_looked_at_approved_as_they_are_and_taken_back(cli: Cli, home: Path) -> None:
    write(home)
    assert "not approved" in cli("servers", "list").stdout
    checked = cli("servers", "check", "speaker", "--json")
    assert checked.returncode == 1, checked.stderr
    digest = json.loads(checked.stdout)["digest"]
    assert "new" in cli("servers", "check", "speaker").stdout

    assert cli("servers", "approve", "speaker").returncode == 2
    wrong = cli("servers", "approve", "speaker", "--digest", "0" * 64)
    assert (wrong.returncode, "have another digest now" in wrong.stderr) == (2, True)
    assert "not approved" in cli("servers", "list").stdout

    approved = cli("servers", "approve", "speaker", "--digest", digest[:12])
    assert (approved.returncode, approved.stdout) == (0, "1 tools of speaker are approved.\n")
    (line,) = [json.loads(line) for line in cli("servers", "list", "--json").stdout.splitlines()]
    assert (line["state"], line["approved"]) == ("1 tools approved", ["echo"])
    assert cli("servers", "check", "speaker").returncode == 0

    write(home, "instructs")
    assert "approved for another command or url" in cli("servers", "list").stdout
    assert cli("servers", "revoke", "speaker").returncode == 0
    assert "not approved" in cli("servers", "list").stdout
    noted = [json.loads(line)["entry"] for line in cli("audit", "--json").stdout.splitlines()]
    assert [entry["tool"] for entry in noted] == ["servers/approve", "servers/revoke"]
    assert all("speaker" in entry["reason"] and entry["actor"] == PERSON for entry in noted)
    assert containers_of((home / "id").read_text()) == []


@pytest.mark.usefixtures("docker_engine")
def test_a_server_that_does_not_start_is_told_without_a_trace_of_it(cli: Cli, home: Path) -> None:
    write(home, "exits")
    done = cli("servers", "check", "speaker")
    assert done.returncode == 3
    assert "The external server speaker cannot be used: its program has ended" in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert containers_of((home / "id").read_text()) == []


def test_what_makes_no_sense_is_wrong_usage(cli: Cli, home: Path) -> None:
    assert "No external server is configured" in cli("servers", "list").stdout
    home.mkdir(exist_ok=True)
    (home / "servers.toml").write_text("[server.a]")
    wrong = [("list",), ("check", "a"), ("revoke", "../a"), ("revoke", "a"), ("check", "nobody"), ("approve", "a")]
    for arguments in wrong:
        done = cli("servers", *arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
