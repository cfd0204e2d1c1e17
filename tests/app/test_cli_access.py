"""Tests of ``soundstage access``."""

import json
from pathlib import Path

from tests.app.conftest import Cli


def test_a_key_is_given_out_listed_and_taken_back(cli: Cli, home: Path) -> None:
    scopes = ("--scope", "tasks:read", "--scope", "tasks:write")
    made = cli("access", "add", *scopes, "--label", "ide", "--expires-days", "9")
    assert made.returncode == 0, made.stderr
    shown = made.stdout.strip()
    assert shown.startswith("sst_")
    assert shown not in made.stderr
    (key,) = [json.loads(line) for line in cli("access", "list", "--json").stdout.splitlines()]
    assert (key["owner"], key["label"], sorted(key["scopes"])) == ("local", "ide", ["tasks:read", "tasks:write"])
    assert "works until" in cli("access", "list").stdout
    assert cli("access", "revoke", key["id"][:6]).returncode == 0
    listed = cli("access", "list").stdout
    assert "revoked" in listed
    secret = shown.split("_", 2)[2]
    assert len(secret) > 30
    assert secret not in listed + (home / "soundstage.db").read_bytes().decode("latin-1")


def test_what_makes_no_sense_is_wrong_usage(cli: Cli) -> None:
    wrong = [
        ("add", "--scope", "everything"), ("add",), ("add", "--scope", "tasks:read", "--owner", "a b"),
        ("add", "--scope", "tasks:read", "--expires-days", "0"), ("add", "--scope", "tasks:read", "--label", "x" * 101),
        ("revoke", "nothing"), ("revoke", ""),
    ]  # fmt: skip
    for arguments in wrong:
        done = cli("access", *arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert "No access key was given out" in cli("access", "list").stdout
