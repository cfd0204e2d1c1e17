"""Reading package.json and its lock file."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DependenciesFailed
from domain.files import FileTree
from sandbox.dependencies.package_json import read_package
from tests.sandbox.dependencies.trees import named

JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda one: st.lists(one) | st.dictionaries(st.text(max_size=5), one),
)


def package(more: dict[str, Any] | None = None, **manifest: Any) -> FileTree:
    """A tree with a package.json, and ``more`` files of JSON."""
    return named({name: json.dumps(content) for name, content in {"package.json": manifest, **(more or {})}.items()})


def test_the_packages_own_scripts_stay_out_and_everything_else_stays() -> None:
    found = read_package(package(name="x", scripts={"postinstall": "node build.js"}, dependencies={"a": "^1.0.0"}))

    assert json.loads(found.files["package.json"].content) == {"name": "x", "dependencies": {"a": "^1.0.0"}}
    assert not found.locked


@pytest.mark.parametrize("name", ["package-lock.json", "npm-shrinkwrap.json"])
def test_a_lock_file_comes_along(name: str) -> None:
    found = read_package(package({name: {"lockfileVersion": 3, "packages": {"": {}}}, ".npmrc": {}}, name="x"))

    assert found.locked
    assert set(found.files) == {"package.json", name}


def test_another_managers_lock_file_is_said_to_be_left_out() -> None:
    assert "yarn.lock" in read_package(package({"yarn.lock": {}}, name="x")).notes[0]


@pytest.mark.parametrize(
    "version",
    ["file:../x", "link:./x", "workspace:*", "../x", "/x", "~/x", "C:\\x", "git+https://h.example/x", "git://h.example/x",
     "github:u/r", "u/r", "u/r#main", "git@h.example:u/r.git", "ssh://h.example/x", "gist:11"],
)  # fmt: skip
@pytest.mark.parametrize("table", ["dependencies", "devDependencies", "optionalDependencies"])
def test_local_and_version_controlled_packages_are_refused(version: str, table: str) -> None:
    with pytest.raises(DependenciesFailed) as caught:
        read_package(package(name="x", **{table: {"a": version}}))

    assert caught.value.reason == "manifest"
    assert f"{table}: a" in str(caught.value)


@pytest.mark.parametrize(
    "version", ["^1.0.0", "latest", "*", "", "1.x || >=2.5.0", "npm:other@1", "npm:@s/other@^1", ">=1 <2"]
)
def test_published_versions_pass(version: str) -> None:
    assert read_package(package(name="x", dependencies={"a": version})).urls == ()


def test_urls_are_told_with_their_places() -> None:
    (url,) = read_package(package(name="x", dependencies={"a": "https://h.example/a.tgz"})).urls

    assert (url.url, url.place) == ("https://h.example/a.tgz", "package.json: dependencies: a")


@pytest.mark.parametrize(
    "entry",
    [{"link": True, "resolved": "x"}, {"resolved": "git+ssh://git@h.example/x.git#1"}, {"resolved": "file:x.tgz"}],
)
def test_a_lock_file_that_leads_elsewhere_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(DependenciesFailed):
        read_package(package({"package-lock.json": {"packages": {"": {}, "node_modules/x": entry}}}, name="x"))


def test_workspaces_are_refused() -> None:
    with pytest.raises(DependenciesFailed, match="workspaces"):
        read_package(package(name="x", workspaces=["a"]))


@pytest.mark.parametrize("content", ["", "[]", "nonsense", "[" * 100_000, "1"])
def test_what_is_no_json_object_is_refused(content: str) -> None:
    with pytest.raises(DependenciesFailed, match=r"package\.json"):
        read_package(named({"package.json": content}))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["dependencies", "scripts", "workspaces", "name"]), JSON), JSON)
def test_any_json_is_read_or_refused(manifest: dict[str, Any], packages: Any) -> None:
    try:
        found = read_package(package({"package-lock.json": {"packages": packages}}, **manifest))
    except DependenciesFailed:
        return
    assert "scripts" not in json.loads(found.files["package.json"].content)
