import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import MasterKeyUnusable, StorageUnavailable
from storage.key_file import KeyFile, new_key, parse_keys


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "home" / "master.key")


def test_a_key_is_made_once_and_nobody_else_may_read_it(file: KeyFile) -> None:
    assert file.read() == ()
    mask = os.umask(0)
    try:
        made = file.create()
    finally:
        os.umask(mask)
    assert len(made) == 1
    assert len(made[0]) == 32
    assert file.create() == file.read() == made
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["master.key"]


def test_of_many_who_make_it_at_once_all_get_the_same(file: KeyFile) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: file.create(), range(64)))
    assert len(made) == 1


def test_replaced_keys_are_read_in_their_order_and_nothing_else_is_left(file: KeyFile) -> None:
    keys = (new_key(), new_key(), new_key())
    file.create()
    file.replace(keys)
    assert file.read() == keys
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused_with_the_remedy(file: KeyFile, mode: int) -> None:
    (key,) = file.create()
    file.path.chmod(mode)
    with pytest.raises(MasterKeyUnusable, match=f"chmod 600 {file.path}") as raised:
        file.read()
    with pytest.raises(MasterKeyUnusable):
        file.create()
    assert key.hex() not in str(raised.value)
    file.path.chmod(0o400)
    assert file.read() == (key,)


def test_a_file_reached_by_a_link_is_judged_by_what_it_leads_to(file: KeyFile) -> None:
    (key,) = file.create()
    link = KeyFile(file.path.with_name("link"))
    link.path.symlink_to(file.path)
    assert link.read() == (key,)
    file.path.chmod(0o644)
    with pytest.raises(MasterKeyUnusable):
        link.read()


@pytest.mark.parametrize("content", ["", "\n", "hello", "ab" * 31, "ab" * 33, f"{'ab' * 32}\nsecret", "\udcff\x00"])
def test_what_is_no_key_is_refused_and_not_repeated(file: KeyFile, content: str) -> None:
    file.create()
    file.path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(MasterKeyUnusable) as raised:
        file.read()
    assert str(file.path) in str(raised.value)
    assert "abab" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_folder_and_a_pipe_are_no_key_files(file: KeyFile) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(MasterKeyUnusable, match="is no file"):
        file.read()
    file.path.rmdir()
    os.mkfifo(file.path, 0o600)
    with pytest.raises(MasterKeyUnusable, match="is no file"):
        file.read()


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("I was here first")
    file = KeyFile(tmp_path / "home" / "master.key")
    with pytest.raises(StorageUnavailable, match="SOUNDSTAGE_HOME"):
        file.replace([new_key()])
    with pytest.raises(StorageUnavailable, match="cannot be read"):
        file.read()


def test_keys_in_a_text_are_separated_by_commas_or_space() -> None:
    first, second = new_key(), new_key()
    assert parse_keys(f" {first.hex()},{second.hex().upper()}\n", "X") == (first, second)
    assert parse_keys("", "X") == ()
