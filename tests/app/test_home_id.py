"""The id of a home: made once, kept, and never that of another one."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.home_id import read_home_id
from app.settings import Settings
from domain.errors import StorageUnavailable


def test_an_id_is_made_once_and_kept_and_homes_have_different_ones(tmp_path: Path) -> None:
    first = read_home_id(tmp_path / "a" / "home")

    assert read_home_id(tmp_path / "a" / "home") == first
    assert Settings(soundstage_home=tmp_path / "a" / "home").home_id == first
    assert read_home_id(tmp_path / "b" / "home") != first
    assert [place.name for place in (tmp_path / "a" / "home").iterdir()] == ["id"]


def test_many_that_begin_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: read_home_id(tmp_path / "home"), range(32)))

    assert len(set(found)) == 1


def test_what_is_no_id_and_a_home_that_cannot_be_are_said_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("../../etc")
    with pytest.raises(StorageUnavailable, match="Remove it"):
        read_home_id(tmp_path)

    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="SOUNDSTAGE_HOME"):
        read_home_id(tmp_path / "file" / "home")
