"""The package clients' own configuration on this machine."""

from pathlib import Path

import pytest

from domain.errors import DependenciesFailed
from sandbox.dependencies import npm_configuration, pip_configuration
from sandbox.dependencies.access import NamedUrl, check_named, extra_hosts, hosts_of
from sandbox.egress.allowlist import Allowlist

INDEX, OTHER = "https://index.example/simple", "https://other.example/simple"


def write(folder: Path, name: str, *lines: str) -> Path:
    """A configuration file."""
    path = folder / name
    path.write_text("\n".join(lines))
    return path


def test_pip_takes_a_later_file_over_an_earlier_one_and_a_variable_over_both(tmp_path: Path) -> None:
    first = write(
        tmp_path, "a", "[global]", f"index-url = {INDEX}", f"extra_index_url = {OTHER}", "  https://third.example/"
    )
    second = write(tmp_path, "b", "[global]", f"index-url = {OTHER}", "timeout = 60")

    found = pip_configuration.read([first, second, tmp_path / "missing"], {})

    assert found.index == OTHER
    assert found.extra == (OTHER, "https://third.example/")
    assert pip_configuration.read([first, second], {"index-url": INDEX}).index == INDEX


def test_pips_section_of_the_command_wins_over_the_global_one_in_any_file(tmp_path: Path) -> None:
    first = write(tmp_path, "a", "[install]", f"index-url = {INDEX}")
    second = write(tmp_path, "b", "[global]", f"index-url = {OTHER}", "[freeze]", "timeout = 10")

    assert pip_configuration.read([first, second], {}).index == INDEX


def test_what_pip_would_find_on_this_machine_only_is_kept_apart(tmp_path: Path) -> None:
    lines = ("[global]", "find-links = /wheels https://links.example/", "extra-index-url = file:///simple")

    found = pip_configuration.read([write(tmp_path, "a", *lines)], {})

    assert found.local == ("file:///simple", "/wheels")
    assert found.links == ("https://links.example/",)
    assert not found.no_index
    assert pip_configuration.read([], {"index-url": "file:///simple"}).no_index


def test_no_configuration_leaves_the_index_to_pip_itself() -> None:
    assert pip_configuration.read([], {}) == pip_configuration.PipConfiguration()


@pytest.mark.parametrize("lines", [["no section"], ["[global"], ["\x00[x]\n=="]])
def test_a_file_that_pip_could_not_read_either_is_named(tmp_path: Path, lines: list[str]) -> None:
    path = write(tmp_path, "broken", *lines)

    with pytest.raises(DependenciesFailed, match="broken") as caught:
        pip_configuration.read([path], {})

    assert caught.value.reason == "configuration"


def test_pips_files_are_looked_for_where_pip_looks(tmp_path: Path) -> None:
    found = pip_configuration.files(tmp_path, None, "/a:/b", "/named.conf")

    assert found[:3] == (Path("/a/pip/pip.conf"), Path("/b/pip/pip.conf"), Path("/etc/pip.conf"))
    assert found.index(tmp_path / ".pip/pip.conf") < found.index(tmp_path / ".config/pip/pip.conf")
    assert found[-1] == Path("/named.conf")
    assert pip_configuration.files(tmp_path, None, None, "/dev/null") == ()
    assert tmp_path / "own/pip/pip.conf" in pip_configuration.files(tmp_path, tmp_path / "own", None, None)


def test_npm_takes_the_users_file_over_the_shared_one_and_the_variable_over_both(tmp_path: Path) -> None:
    shared = write(tmp_path, "a", "; words", f"registry = {INDEX}", "@scope:registry='https://scope.example/'")
    user = write(tmp_path, "b", f'registry="{OTHER}"', "# words", "fund=false")

    found = npm_configuration.read([shared, user], {})

    assert found.registry == OTHER
    assert found.scoped == {"@scope:registry": "https://scope.example/"}
    assert not found.has_credentials
    assert npm_configuration.read([shared, user], {"registry": INDEX}).registry == INDEX


@pytest.mark.parametrize(
    "line", ["//r.example/:_authToken=x", "_auth=x", "//r.example/:username=x", "//r.example/:_password=x"]
)
def test_npms_logins_are_noticed_and_never_kept(tmp_path: Path, line: str) -> None:
    found = npm_configuration.read([write(tmp_path, "a", line)], {})

    assert found == npm_configuration.NpmConfiguration(has_credentials=True)


def test_a_registry_by_variable_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DependenciesFailed, match="NPM_CONFIG_REGISTRY"):
        npm_configuration.read([write(tmp_path, "a", "registry=https://${HOST}/")], {})


def test_npms_files_are_looked_for_where_npm_looks(tmp_path: Path) -> None:
    assert npm_configuration.files(tmp_path, None, "/shared", None) == (Path("/shared"), tmp_path / ".npmrc")
    assert npm_configuration.files(tmp_path, "/mine", None, "/prefix")[-2:] == (
        Path("/prefix/etc/npmrc"),
        Path("/mine"),
    )


@pytest.mark.parametrize("url", ["https://user:pass-word@index.example/", "https://token@index.example/"])
def test_an_index_with_credentials_is_refused_and_the_secret_is_not_told(url: str) -> None:
    with pytest.raises(DependenciesFailed) as caught:
        hosts_of([url], named=True)

    assert caught.value.reason == "credentials"
    assert "--wheels" in str(caught.value)
    assert "pass-word" not in str(caught.value)
    assert "token" not in str(caught.value)


def test_a_manifest_cannot_widen_what_may_be_reached() -> None:
    allowlist = Allowlist(hosts_of([INDEX], named=True))

    check_named([NamedUrl(url="https://INDEX.example/x.whl", place="r:1")], allowlist)
    with pytest.raises(DependenciesFailed, match="r:2 names a host of its own") as caught:
        check_named([NamedUrl(url="https://evil.example/x.whl", place="r:2")], allowlist)
    assert caught.value.reason == "refused_host"
    with pytest.raises(DependenciesFailed) as caught:
        check_named([NamedUrl(url="https://u:p@index.example/x.whl", place="r:3")], allowlist)
    assert caught.value.reason == "credentials"


def test_further_hosts_are_taken_with_and_without_a_port() -> None:
    assert [str(host.endpoint) for host in extra_hosts(["Files.Example", "b.example:8443"])] == [
        "files.example:443",
        "b.example:8443",
    ]
    with pytest.raises(DependenciesFailed, match="SOUNDSTAGE_INSTALL_HOSTS"):
        extra_hosts(["https://x.example"])
