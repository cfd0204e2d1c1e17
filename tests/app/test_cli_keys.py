"""Tests of ``soundstage keys``."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from app.names import COMPATIBLE
from tests.app.canary import ANOTHER, KEPT, SET
from tests.app.conftest import SOUNDSTAGE, Cli
from tests.app.echo_server import echoing


def known(cli: Cli, **environment: str) -> list[dict[str, str]]:
    done = cli("keys", "list", "--json", **environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_key_is_checked_kept_listed_rotated_and_removed(cli: Cli, home: Path) -> None:
    with echoing() as server:
        done = cli("keys", "add", COMPATIBLE, "--label", "mine", stdin=f"{KEPT}\n", OPENAI_BASE_URL=server.url)
        assert done.returncode == 0, done.stderr
        assert "is kept, encrypted (it lists 1 models)" in done.stdout
        checked = cli("keys", "check", "--json", OPENAI_BASE_URL=server.url)
    assert checked.returncode == 0
    (key,) = known(cli)
    assert (key["provider"], key["label"], key["source"], key["last4"]) == (COMPATIBLE, "mine", "stored", KEPT[-4:])
    assert json.loads(checked.stdout) == {
        "provider": COMPATIBLE, "id": key["id"], "source": "stored", "ok": True, "found": "it lists 1 models",
    }  # fmt: skip
    assert key["id"] in cli("keys", "list").stdout
    before = (home / "master.key").read_bytes()
    assert "1 of 1 keys were encrypted anew" in cli("keys", "rotate").stdout
    assert (home / "master.key").read_bytes() != before
    assert stat.S_IMODE((home / "master.key").stat().st_mode) == 0o600
    assert "revoke it there" in cli("keys", "remove", key["id"][:6]).stdout
    assert known(cli) == []
    assert "There is no key" in cli("keys", "list").stdout


def test_keys_of_the_environment_are_listed_and_cannot_be_removed(cli: Cli) -> None:
    environment = {"OPENAI_API_KEY": f"{SET},{ANOTHER}", "GROQ_API_KEY": KEPT}
    found = known(cli, **environment)
    assert [(key["provider"], key["label"], key["source"]) for key in found] == [
        ("openai", "OPENAI_API_KEY", "environment"),
        ("openai", "OPENAI_API_KEY", "environment"),
        ("groq", "GROQ_API_KEY", "environment"),
    ]
    done = cli("keys", "remove", found[0]["id"], **environment)
    assert done.returncode == 2
    assert "Unset its variable" in done.stderr
    assert known(cli, **environment) == found, "an id is the same each time"


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("add", "openai"), "", "is empty"),
        (("add", "openai"), "two words\n", "without spaces"),
        (("add", "openai", "--no-check"), "short", "is no secret"),
        (("add", "Open AI"), SET, "not known"),
        (("add", "Open AI", "--no-check"), SET, "no provider's name"),
        (("add", "openai", "--no-check", "--label", "x" * 101), SET, "100 characters"),
        (("add", "some-name"), SET, "--url"),
        (("add", "openai", SET), SET, "not taken from the command line"),
        (("remove", "abc"), "", "no key with that id"),
        (("check", "--url", "http://127.0.0.1:9/v1"), "", "Name the provider"),
    ],
)
def test_wrong_usage_is_said_and_nothing_is_kept(
    cli: Cli, home: Path, arguments: tuple[str, ...], typed: str, said: str
) -> None:
    done = cli("keys", *arguments, stdin=typed)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (home / "master.key").exists()


def test_the_same_key_is_kept_once(cli: Cli) -> None:
    assert cli("keys", "add", "openai", "--no-check", stdin=SET).returncode == 0
    done = cli("keys", "add", "openai", "--no-check", stdin=SET)
    assert done.returncode == 1
    assert "kept already" in done.stderr
    assert len(known(cli)) == 1


def test_a_check_tells_the_good_from_the_bad_and_from_what_cannot_be_asked(cli: Cli, home: Path) -> None:
    cli("keys", "add", "unheard-of", "--no-check", stdin=KEPT)
    with echoing(listing=401) as server:
        done = cli("keys", "check", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=SET)
        assert done.returncode == 3
        assert [line[0] for line in done.stdout.splitlines()] == ["✗", "✗"]
        assert "refused the API key" in done.stdout
        assert "--url" in done.stdout
    with echoing() as server:
        assert cli("keys", "check", "unheard-of", "--url", server.url).returncode == 0
        (home / "master.key").unlink()
        lost = cli("keys", "check", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=SET)
    assert lost.returncode == 3
    assert [line[0] for line in lost.stdout.splitlines()] == ["✗", "✓"]
    assert "Restore master.key" in lost.stdout


@pytest.mark.parametrize(("listing", "said"), [(401, "refused the key, so it was not kept"), (402, "no credit left")])
def test_a_key_that_is_not_taken_or_has_no_credit_is_not_kept_and_the_reason_is_told(
    cli: Cli, listing: int, said: str
) -> None:
    with echoing(listing=listing) as server:
        done = cli("keys", "add", "mine", "--url", server.url, stdin=SET)
    assert done.returncode == 3
    assert said in done.stderr
    assert known(cli) == []


def test_a_server_that_does_not_answer_keeps_no_key_unless_it_is_not_asked(cli: Cli) -> None:
    done = cli("keys", "add", "mine", "--url", "http://127.0.0.1:9/v1", stdin=SET)
    assert done.returncode == 3
    assert "No connection" in done.stderr
    assert known(cli) == []


def test_a_master_key_that_others_can_read_is_refused_with_the_remedy(cli: Cli, home: Path) -> None:
    cli("keys", "add", "openai", "--no-check", stdin=SET)
    (home / "master.key").chmod(0o644)
    done = cli("keys", "rotate")
    assert done.returncode == 3
    assert f"chmod 600 {home / 'master.key'}" in done.stderr


def test_master_keys_of_the_environment_are_rotated_by_their_order(cli: Cli, home: Path) -> None:
    first, second = "1f" * 32, "2e" * 32
    cli("keys", "add", "openai", "--no-check", stdin=SET, SOUNDSTAGE_MASTER_KEY=first)
    assert not (home / "master.key").exists()
    done = cli("keys", "rotate", SOUNDSTAGE_MASTER_KEY=f"{second},{first}")
    assert "1 of 1 keys" in done.stdout
    assert first not in done.stdout
    assert second not in done.stdout
    assert "openssl rand -hex 32" in done.stdout
    assert cli("keys", "rotate", SOUNDSTAGE_MASTER_KEY=second).stdout.startswith("0 of 1 keys")
    assert cli("keys", "rotate", SOUNDSTAGE_MASTER_KEY=first).returncode == 3


def terminal(home: Path, *arguments: str) -> "pexpect.spawn[str]":
    """The command at a terminal."""
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    return pexpect.spawn(str(SOUNDSTAGE), list(arguments), env=environment, encoding="utf-8", timeout=100)


def rest_of(child: "pexpect.spawn[str]") -> str:
    """What it shows until it ends."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before or ""


def test_at_a_terminal_the_key_is_asked_for_and_not_shown(home: Path) -> None:
    child = terminal(home, "keys", "add", "openai", "--no-check")
    child.expect_exact("API key (not shown): ")
    child.sendline(SET)
    shown = rest_of(child)
    assert child.exitstatus == 0
    assert "is kept, encrypted." in shown
    assert SET not in shown


def test_who_interrupts_the_question_has_kept_nothing(home: Path) -> None:
    child = terminal(home, "keys", "add", "openai", "--no-check")
    child.expect_exact("API key (not shown): ")
    child.sendintr()
    # One that comes between the question and the reading of the answer is noticed only with the next.
    while child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5):
        child.sendintr()
    shown = child.before or ""
    child.close()
    assert child.exitstatus == 130
    assert "Traceback" not in shown
    assert not (home / "master.key").exists()


def test_who_closes_the_input_at_the_question_is_told_that_the_key_is_empty(home: Path) -> None:
    child = terminal(home, "keys", "add", "openai", "--no-check")
    child.expect_exact("API key (not shown): ")
    child.sendeof()
    assert "is empty" in rest_of(child)
    assert child.exitstatus == 2


def test_the_commands_are_known_without_loading_what_only_some_of_them_need() -> None:
    code = "import sys, app.cli; print({'sqlalchemy', 'openai', 'pydantic', 'cryptography'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
