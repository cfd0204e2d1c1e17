"""What was read of sources, on the disk."""

import multiprocessing
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcp_server.repo_map.tag_cache import TagCache


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a cache, in a folder that is not there yet."""
    return tmp_path / "home" / "cache" / "tags.sqlite"


def test_what_was_kept_is_found_by_another_cache_on_the_same_file(path: Path) -> None:
    TagCache(path).keep({"a": b"1", "b": b"2"})

    assert TagCache(path).find(["a", "b", "c"]) == {"a": b"1", "b": b"2"}
    assert TagCache(path).find([]) == {}


def test_keeping_a_key_again_replaces_it(path: Path) -> None:
    cache = TagCache(path)
    cache.keep({"a": b"1"})
    cache.keep({"a": b"2"})
    assert cache.find(["a"]) == {"a": b"2"}


def test_thousands_of_keys_are_looked_for_at_once(path: Path) -> None:
    cache = TagCache(path)
    kept = {str(number): b"x" for number in range(5000)}
    cache.keep(kept)
    assert cache.find(kept) == kept


def test_when_it_is_full_what_was_not_used_for_the_longest_time_goes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = TagCache(path, most_bytes=10_000)
    now = time.time()
    for day in range(20):
        monkeypatch.setattr(time, "time", lambda day=day: now + day * 86_400)
        cache.keep({str(day): b"x" * 1000})
        cache.find(["0"])
    left = cache.find([str(day) for day in range(20)])

    assert "0" in left
    assert "19" in left
    assert "1" not in left
    assert sum(len(tags) for tags in left.values()) <= 10_000
    assert path.stat().st_size < 100_000


@settings(deadline=None, max_examples=30)
@example(garbage=b"\x80", at=4038)
@given(garbage=st.binary(min_size=1, max_size=3000), at=st.integers(0, 20_000))
def test_a_damaged_file_is_made_anew_or_read_around(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, at: int
) -> None:
    path = tmp_path_factory.mktemp("cache") / "tags"
    cache = TagCache(path)
    cache.keep({str(number): b"x" * 100 for number in range(100)})
    whole = path.read_bytes()
    place = at % len(whole)
    path.write_bytes(whole[:place] + garbage + whole[place + len(garbage) :])

    for key in range(100):
        cache.find([str(key)])
    cache.keep({"new": b"2"})
    assert isinstance(cache.find(["new"]).get("new", b""), bytes)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 500])
def test_a_file_that_is_no_database_is_replaced_by_one(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    cache = TagCache(path)

    assert cache.find(["a"]) == {}
    cache.keep({"a": b"1"})
    assert cache.find(["a"]) == {"a": b"1"}


def test_a_table_of_another_shape_is_replaced(path: Path) -> None:
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE tags_1 (something TEXT)")
    database.commit()
    database.close()
    cache = TagCache(path)
    cache.keep({"a": b"1"})
    assert cache.find(["a"]) == {"a": b"1"}


def test_a_place_that_cannot_be_used_is_as_if_nothing_had_been_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path, tmp_path / "file" / "tags", Path("/proc/none/tags")):
        cache = TagCache(place)
        cache.keep({"a": b"1"})
        assert cache.find(["a"]) == {}


def test_a_database_that_somebody_holds_is_not_thrown_away(path: Path) -> None:
    cache = TagCache(path, busy_s=0.01)
    cache.keep({"a": b"1"})
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    cache.keep({"b": b"2"})
    assert cache.find(["a"]) == {}
    holder.rollback()
    holder.close()

    assert cache.find(["a", "b"]) == {"a": b"1"}


def _write(path: Path, name: str) -> None:
    cache = TagCache(path)
    for number in range(30):
        cache.keep({f"{name}{number}": name.encode() * 100})
        assert cache.find([f"{name}{number}"])


def test_several_processes_use_it_at_once(path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    writers = [spawning.Process(target=_write, args=(path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    keys = [f"{name}{number}" for name in "abc" for number in range(30)]
    assert len(TagCache(path).find(keys)) == 90
