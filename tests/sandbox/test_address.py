"""What a person may set of engines and of the pool, read from text."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import UsageError
from sandbox.address import MOST_READY, EngineAddress, read_engines, read_pool

ANYTHING = st.text(st.characters(codec=None) | st.sampled_from("=,/.-0159einfaN \t\n\0\udcff"), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, [(None, 1.0)]),
        ("", [(None, 1.0)]),
        (" , ", [(None, 1.0)]),
        ("unix:///run/docker.sock", [("unix:///run/docker.sock", 1.0)]),
        ("tcp://a:2375=2, tcp://b:2375=0.5,", [("tcp://a:2375", 2.0), ("tcp://b:2375", 0.5)]),
    ],
)
def test_engines_are_addresses_with_weights(text: str | None, expected: list[tuple[str | None, float]]) -> None:
    assert read_engines(text) == tuple(EngineAddress(host=host, weight=weight) for host, weight in expected)


@pytest.mark.parametrize(
    "text", ["a=", "a=x", "a=0", "a=-1", "a=nan", "a=inf", "=3", "a=1,=2", "a\0b", "\udcff", "a=1=x"]
)
def test_an_engine_that_makes_no_sense_is_a_mistake_of_the_caller_that_names_the_setting(text: str) -> None:
    with pytest.raises(UsageError, match="DOCKER_HOST"):
        read_engines(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("python/default=2", [("python", "default", "runc", 2)]),
        ("python/small=0, go/large/runsc=64,", [("python", "small", "runc", 0), ("go", "large", "runsc", 64)]),
    ],
)
def test_a_pool_is_kinds_with_counts(text: str, expected: list[tuple[str, str, str, int]]) -> None:
    sizes = read_pool(text)

    found = [(kind.language, kind.profile, kind.isolation, size) for kind, size in sizes.items()]
    assert found == expected


@pytest.mark.parametrize(
    "text",
    ["python", "python=2", "a/b/c/d=1", "a/b", "a/b=", "a/b=x", "a/b=-1", "a/b=1.5", "a/b=nan", f"a/b={MOST_READY + 1}",
     "a/\udcff=1", "a/b\0=1"],
)  # fmt: skip
def test_a_pool_that_makes_no_sense_is_a_mistake_of_the_caller_that_names_the_setting(text: str) -> None:
    with pytest.raises(UsageError, match="SOUNDSTAGE_POOL"):
        read_pool(text)


@given(ANYTHING)
@example("\udcff")
@example("a=1e400")
@example("/=1")
def test_whatever_is_written_it_is_understood_or_a_mistake_of_the_caller(text: str) -> None:
    with contextlib.suppress(UsageError):
        for address in read_engines(text):
            assert address.weight > 0
    with contextlib.suppress(UsageError):
        for size in read_pool(text).values():
            assert 0 <= size <= MOST_READY
