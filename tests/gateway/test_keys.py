import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import SecretStr

from domain.errors import ModelAuthenticationFailed
from domain.secrets import ProviderKey
from gateway.keys import LONGEST_REST_S, LONGEST_RETRY_AFTER_S, KeyRing
from tests.gateway.clock import Clock

NAMES = ("a", "b", "c")


@pytest.fixture
def ring(clock: Clock) -> KeyRing:
    return make_ring(clock)


def make_ring(clock: Clock) -> KeyRing:
    keys = [ProviderKey(id=name, provider="groq", secret=SecretStr(f"secret-{name}")) for name in NAMES]
    return KeyRing("groq", keys, clock)


def turn(ring: KeyRing) -> tuple[str, float]:
    found = ring.next("m")
    return found.key.id, found.wait_s


def test_the_first_key_is_used_as_long_as_it_works(ring: KeyRing) -> None:
    assert [turn(ring) for _ in range(3)] == [("a", 0), ("a", 0), ("a", 0)]


def test_a_refused_key_is_set_aside_for_good_and_the_next_one_is_used(ring: KeyRing, clock: Clock) -> None:
    ring.refused("a", "HTTP 401")
    clock.now += 1e9
    ring.worked("a", "m")
    assert turn(ring) == ("b", 0)


def test_a_limited_key_rests_as_long_as_the_provider_says_and_others_are_used_meanwhile(
    ring: KeyRing, clock: Clock
) -> None:
    assert ring.limited("a", "m", 7.0) == 7.0
    assert turn(ring) == ("b", 0)
    clock.now += 6.9
    assert turn(ring) == ("b", 0)
    clock.now += 0.2
    assert turn(ring) == ("a", 0)


def test_when_all_keys_rest_the_one_that_is_free_soonest_is_named_with_the_time(ring: KeyRing) -> None:
    ring.limited("a", "m", 9.0)
    ring.limited("b", "m", 3.0)
    ring.limited("c", "m", 5.0)
    assert turn(ring) == ("b", 3.0)
    ring.refused("b", "HTTP 403")
    assert turn(ring) == ("c", 5.0)


def test_without_retry_after_the_rest_doubles_up_to_a_bound_until_a_call_succeeds(ring: KeyRing, clock: Clock) -> None:
    rests = []
    for _ in range(9):
        rests.append(ring.limited("a", "m"))
        clock.now += rests[-1]
    assert rests == [1, 2, 4, 8, 16, 32, LONGEST_REST_S, LONGEST_REST_S, LONGEST_REST_S]
    ring.worked("a", "m")
    assert ring.limited("a", "m") == 1


def test_answers_to_calls_that_were_under_way_together_count_as_one_limit(ring: KeyRing, clock: Clock) -> None:
    assert [ring.limited("a", "m") for _ in range(16)] == [1.0] * 16
    ring.worked("a", "m")
    assert turn(ring) == ("b", 0), "a call that began before the limit says nothing of its end"
    clock.now += 1
    assert ring.limited("a", "m") == 2


def test_a_later_word_on_the_end_of_a_limit_only_makes_it_longer(ring: KeyRing) -> None:
    assert ring.limited("a", "m", 10.0) == 10.0
    assert ring.limited("a", "m", 3.0) == 10.0
    assert ring.limited("a", "m", 30.0) == 30.0


@pytest.mark.parametrize(
    ("told", "rest"), [(-5.0, 0.0), (0.0, 0.0), (math.inf, LONGEST_RETRY_AFTER_S), (math.nan, 1.0), (None, 1.0)]
)
def test_nonsense_from_a_provider_rests_a_key_neither_for_ever_nor_backwards(
    ring: KeyRing, told: float | None, rest: float
) -> None:
    assert ring.limited("a", "m", told) == rest


def test_when_no_key_is_left_the_reasons_are_told_and_no_secret(ring: KeyRing) -> None:
    for name in NAMES:
        ring.refused(name, f"HTTP 401 for {name}")
    with pytest.raises(ModelAuthenticationFailed) as raised:
        ring.next("m")
    said = str(raised.value)
    assert all(f"{name}: HTTP 401 for {name}" in said for name in NAMES)
    assert "soundstage keys add groq" in said
    assert "secret-" not in said + repr(ring) + repr(ring.states("m"))


def test_a_ring_without_keys_says_how_to_add_one(clock: Clock) -> None:
    with pytest.raises(ModelAuthenticationFailed, match=r"there was none.*soundstage keys add mistral"):
        KeyRing("mistral", [], clock).next("m")


def test_a_key_that_is_there_twice_counts_once(clock: Clock) -> None:
    first, again = (ProviderKey(id="a", provider="p", secret=SecretStr(text)) for text in ("secret-1", "secret-2"))
    ring = KeyRing("p", [first, again], clock)
    assert len(ring.states("m")) == 1
    assert ring.next("m").key.secret.get_secret_value() == "secret-1"


@given(st.integers(1, 5000))
def test_no_number_of_limits_makes_a_rest_longer_than_the_bound(strikes: int) -> None:
    clock = Clock()
    ring = make_ring(clock)
    for _ in range(strikes):
        rest = ring.limited("a", "m")
        assert 0 < rest <= LONGEST_REST_S
        clock.now += rest
        if strikes > 200:
            clock.now += LONGEST_REST_S


class RingMachine(RuleBasedStateMachine):
    """Whatever providers answer in whatever order: the key that is handed out is the best there is."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.ring = make_ring(self.clock)
        self.set_aside: set[str] = set()

    @rule(name=st.sampled_from(NAMES), told=st.none() | st.floats(0, 100))
    def limit(self, name: str, told: float | None) -> None:
        self.ring.limited(name, "m", told)

    @rule(name=st.sampled_from(NAMES))
    def refuse(self, name: str) -> None:
        self.ring.refused(name, "")
        self.set_aside.add(name)

    @rule(name=st.sampled_from(NAMES))
    def work(self, name: str) -> None:
        self.ring.worked(name, "m")

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def the_best_key_is_handed_out(self) -> None:
        usable = [state for state in self.ring.states("m") if not state.refused]
        assert {state.id for state in usable} == set(NAMES) - self.set_aside
        if not usable:
            with pytest.raises(ModelAuthenticationFailed):
                self.ring.next("m")
            return
        best = min(usable, key=lambda state: state.rests_s)
        assert turn(self.ring) == (best.id, best.rests_s)


test_the_key_that_is_handed_out_is_always_the_best_there_is = RingMachine.TestCase
