"""Tests of app/instances.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.instances import InstanceLock
from domain.errors import StorageUnavailable

HOLD = """
import sys
from pathlib import Path
from app.instances import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
lock.acquire()
print(lock.id, flush=True)
sys.stdin.read()
"""


def test_a_process_is_alive_while_it_runs_and_not_after_a_kill(tmp_path: Path) -> None:
    ours = InstanceLock(tmp_path)
    ours.acquire()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = other.stdout.readline().strip()
        assert ours.alive() == {ours.id, theirs}
        other.kill()
        other.wait()
        assert ours.alive() == {ours.id}
    assert sorted(path.stem for path in tmp_path.iterdir()) == [ours.id]
    ours.release()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageUnavailable, match="SOUNDSTAGE_HOME"):
        InstanceLock(tmp_path / "file" / "below").acquire()
