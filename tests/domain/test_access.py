"""Access keys: their form, and when they work."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import AccessKey, AccessScope, digest_of, id_of, new_secret, same

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_no_two_keys_are_alike_and_each_names_its_id_and_shows_nothing() -> None:
    made = [new_secret() for _ in range(100)]

    assert len({key.shown.get_secret_value() for key in made}) == 100
    for key in made:
        shown = key.shown.get_secret_value()
        assert id_of(shown) == key.id
        assert same(key.digest, shown)
        assert not same(key.digest, f"{shown}x")
        assert len(shown.rpartition(key.id)[2]) > 43
        assert shown not in repr(key)


@given(st.text() | st.from_regex(r"sst_[0-9a-f]{0,14}_?\w{0,120}"))
def test_any_other_text_is_no_key(text: str) -> None:
    found = id_of(text)
    assert found is None or (text.startswith(f"sst_{found}_") and len(text) <= 100)
    assert not same(digest_of(new_secret().shown.get_secret_value()), text.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    ("change", "works"),
    [
        ({}, True),
        ({"expires_at": NOW + timedelta(seconds=1)}, True),
        ({"expires_at": NOW}, False),
        ({"revoked_at": NOW - timedelta(days=1)}, False),
        ({"revoked_at": NOW, "expires_at": NOW + timedelta(days=1)}, False),
    ],
)
def test_a_key_works_until_it_expires_or_is_revoked(change: dict[str, datetime], works: bool) -> None:
    key = AccessKey(id="a", scopes=frozenset({AccessScope.SEE_TASKS}), made_at=NOW, **change)
    assert key.works(NOW) is works
