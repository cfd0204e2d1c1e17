"""Tests of app/servers_file.py: the file of external servers."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.servers_file import read_servers
from app.settings import Settings
from domain.errors import UsageError

GOOD = """
[server.issues]
command = ["issues-server", "--stdio"]
files = "tools"
environment = { LEVEL = "debug" }
environment_from = ["ISSUES_TOKEN"]
tools = ["read_*"]

[server.wiki]
url = "https://wiki.example/mcp"
bearer_from = "WIKI_TOKEN"
call_s = 20
"""
COMMAND = '[server.a]\ncommand = ["x"]\n'
URL = '[server.a]\nurl = "https://a.example/"\n'
BROKEN = [
    ("[server", "is no TOML"),
    ("[sever.a]\nurl = 'x'", "sever is none of its tables"),
    ("server = 1", "server is none of its tables"),
    ("[server]\na = 1", "server a: it is no table of settings"),
    (COMMAND + "name = 'b'", "server a: it is no table of settings, or names what is not set there"),
    (COMMAND + "secrets = {}", "server a: it is no table of settings, or names what is not set there"),
    ("[server.A]\nurl = 'https://a.example'", "server A, name: String should match pattern"),
    ("[server.a__b]\nurl = 'https://a.example'", "name: String should match pattern"),
    ("[server.a]", "server a: give it either a command or a url"),
    (COMMAND + "url = 'https://a.example/'", "server a: give it either a command or a url"),
    (COMMAND + "bearer_from = 'X'", "server a: bearer_from is not for a server with a command"),
    (COMMAND + "hosts = ['a b']", "server a, hosts: 'a b' is no host name"),
    (URL + "hosts = ['b.example']", "server a: hosts is not for a server with a url"),
    ("[server.a]\nurl = 'file:///etc/passwd'", "server a, url: That is no http or https URL"),
    (URL + "profile = 'large'", "server a: profile is not for a server with a url"),
    (COMMAND + "call_s = 0", "server a, call_s: Input should be greater than 0"),
    (COMMAND + "comand = 1", "server a, comand: Extra inputs are not permitted"),
    (COMMAND + "environment_from = ['OPENAI_API_KEY']", "OPENAI_API_KEY is Soundstage's own"),
    (URL + "bearer_from = 'soundstage_master_key'", "soundstage_master_key is Soundstage's own"),
]


def test_without_a_file_there_is_no_server(tmp_path: Path) -> None:
    assert read_servers(Settings(soundstage_home=tmp_path)) == ()


def test_servers_are_read_with_their_secrets_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "servers.toml").write_text(GOOD)
    monkeypatch.setenv("ISSUES_TOKEN", "issues-token-of-mine")
    monkeypatch.setenv("OTHER_TOKEN", "not-asked-for")
    settings = Settings(soundstage_home=tmp_path)
    issues, wiki = read_servers(settings)
    assert (issues.name, issues.command, issues.tools) == ("issues", ("issues-server", "--stdio"), ("read_*",))
    assert issues.files == tmp_path / "tools"
    assert issues.secrets == {"ISSUES_TOKEN": SecretStr("issues-token-of-mine")}
    assert (wiki.url, wiki.call_s, wiki.secrets) == ("https://wiki.example/mcp", 20.0, {})
    assert SecretStr("issues-token-of-mine") in settings.known_secrets
    assert "token-of-mine" not in repr(issues) + issues.model_dump_json()


@pytest.mark.parametrize(("content", "said"), BROKEN)
def test_a_broken_file_is_told_with_the_place(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        read_servers(Settings(soundstage_home=tmp_path, soundstage_servers_file=file))
    assert str(caught.value).startswith(str(file))
    assert said in str(caught.value)


def test_a_file_that_was_named_and_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Correct SOUNDSTAGE_SERVERS_FILE"):
        read_servers(Settings(soundstage_home=tmp_path, soundstage_servers_file=tmp_path / "none.toml"))
