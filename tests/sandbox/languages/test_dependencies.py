"""Packages that lie where the dependencies phase puts them are found, and come after all else."""

import io
import os
import secrets
import tarfile
import zipfile
from collections.abc import AsyncIterator

import pytest

from domain.files import File, TreeChange
from sandbox import images
from sandbox.base import Sandbox
from sandbox.image_engine import ImageEngine
from sandbox.test_run import harness_command, parse_report
from tests.sandbox.docker_place import docker_place


def jar(name: str, content: str) -> bytes:
    """A jar with one resource."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


PACKAGES = {
    "python": {
        "opt/deps/python/brought.py": b"WORD = 'brought'\n",
        "opt/deps/python/coverage.py": b"raise SystemExit('in place of the tools')\n",
        "opt/deps/python/evil.pth": b"import os; os._exit(0)\n",
    },
    "typescript": {
        "node_modules/brought/package.json": b'{"name": "brought", "version": "1.0.0", "main": "index.js"}',
        "node_modules/brought/index.js": b"exports.word = 'brought';\n",
    },
    "java": {"opt/deps/java/brought.jar": jar("brought.txt", "brought")},
}
TESTS = {
    "python": (
        "test_a.py",
        "import subprocess, sys\n\nimport brought\n\n\ndef test_a():\n    assert brought.WORD == 'brought'\n"
        "    told = subprocess.run([sys.executable, '-I', '-c', 'import sys; print(sys.path)'], capture_output=True)\n"
        "    assert told.stdout.endswith(b\"'/opt/deps/python']\\n\"), told\n",
    ),
    "typescript": (
        "a.test.ts",
        "import assert from 'node:assert';\nimport test from 'node:test';\nimport brought from 'brought';\n"
        "test('a', () => assert.equal(brought.word, 'brought'));\n",
    ),
    "java": (
        "src/test/java/ATest.java",
        "class ATest {\n  @org.junit.jupiter.api.Test\n  void a() {\n"
        '    org.junit.jupiter.api.Assertions.assertNotNull(ATest.class.getResource("/brought.txt"));\n  }\n}\n',
    ),
}


@pytest.fixture(params=sorted(PACKAGES))
def name(request: pytest.FixtureRequest) -> str:
    """The name of each language that can bring packages."""
    return str(request.param)


@pytest.fixture
async def sandbox(docker_engine: None, name: str) -> AsyncIterator[Sandbox]:
    """A sandbox of the language's image with a layer of packages on top, which is removed at the end."""
    buffer = io.BytesIO()
    dockerfile = f"FROM {images.tag(name)}\nCOPY packages /\n".encode()
    with tarfile.open(fileobj=buffer, mode="w") as context:
        for path, content in {f"packages/{path}": data for path, data in PACKAGES[name].items()}.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            context.addfile(member, io.BytesIO(content))
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        context.addfile(member, io.BytesIO(dockerfile))
    engine, tag = ImageEngine(os.environ.get("DOCKER_HOST")), f"soundstage-packages-test:{secrets.token_hex(8)}"
    async for _ in engine.build(buffer.getvalue(), tag, {}):
        pass
    try:
        async with docker_place() as place, place.lease(language=name, image=tag, profile="default") as leased:
            yield leased
    finally:
        await engine.remove(tag)


async def test_brought_packages_are_found_and_take_nobodys_place(sandbox: Sandbox, name: str) -> None:
    path, source = TESTS[name]
    await sandbox.put(TreeChange(written={path: File(content=source.encode())}))

    report = parse_report(await sandbox.run(harness_command(name)))

    assert report.passed, report
    assert set(report.coverage) == {path}
