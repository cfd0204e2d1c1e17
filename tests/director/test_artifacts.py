"""Files that a subtask names are kept; what cannot be kept is said, and stops nobody."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from director import artifacts
from director.artifacts import keep
from director.equipment import Equipment
from domain.command import shell
from domain.events import ArtifactsKept
from sandbox.base import SandboxRequest
from sandbox.fake import FakeSandboxes
from sandbox.vetting import VettingLimits
from storage.artifacts import ArtifactFolder


async def kept_of(folder: Path, script: str, *patterns: str) -> tuple[ArtifactsKept, ArtifactFolder]:
    """What is kept of a sandbox in which the script has run."""
    store = ArtifactFolder(folder)
    equipment = cast("Equipment", SimpleNamespace(artifacts=store))
    async with FakeSandboxes().lease(SandboxRequest(task_id="t", purpose="a test")) as sandbox:
        assert (await sandbox.run(shell(script))).ok
        return await keep(equipment, sandbox, "build", patterns), store


async def test_patterns_name_what_is_kept_also_what_no_snapshot_holds(tmp_path: Path) -> None:
    script = (
        "mkdir -p dist node_modules/a src; echo w > dist/a.whl; echo n > node_modules/a/index.js; echo s > src/a.py"
    )

    fact, store = await kept_of(tmp_path, script, "dist/*.whl", "node_modules")

    assert [artifact.path for artifact in fact.artifacts] == ["dist/a.whl", "node_modules/a/index.js"]
    assert (fact.refused, fact.reason) == ((), "")
    assert await store.get(fact.artifacts[0]) == b"w\n"


@pytest.mark.parametrize(
    ("script", "pattern", "reason"),
    [
        ("true", "dist/*", "nothing was found"),
        ("ln -s /etc/passwd out", "out", "no plain file"),
        ("true", "../../etc/passwd", "nothing was found|no plain file"),
        ("head -c 3000 /dev/zero > big", "big", "larger than"),
    ],
)
async def test_what_cannot_be_kept_is_said_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, pattern: str, reason: str
) -> None:
    monkeypatch.setattr(artifacts, "LIMITS", VettingLimits(entries=10, file_bytes=2000, total_bytes=4000))

    fact, _ = await kept_of(tmp_path, script, pattern)

    assert fact.artifacts == ()
    assert any(part in fact.reason for part in reason.split("|"))


async def test_more_than_may_be_kept_is_refused_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "LIMITS", VettingLimits(entries=3, file_bytes=2000, total_bytes=4000))

    fact, _ = await kept_of(tmp_path, "mkdir many; for n in 1 2 3 4; do echo $n > many/$n; done", "many")

    assert fact.artifacts == ()
    assert fact.refused == ("many",)
    assert fact.reason
    assert os.listdir(tmp_path) == []
