import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import errors
from domain.errors import ModelOverloaded, ModelTimeout, SoundstageError
from gateway.policy import RetryPolicy

WORTH_IT = {"ModelOverloaded", "RateLimited", "ModelTimeout", "ModelConnectionFailed", "ModelConnectionLost"}
CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, SoundstageError)]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_only_what_may_pass_by_itself_is_worth_another_try(error: type[SoundstageError]) -> None:
    assert (RetryPolicy().pause(1, error()) is not None) == (error.__name__ in WORTH_IT)


@given(st.integers(1, 10))
def test_there_are_no_more_tries_than_the_policy_has(attempts: int) -> None:
    policy = RetryPolicy(attempts=attempts)

    assert all(policy.pause(tried, ModelTimeout()) is not None for tried in range(1, attempts))
    assert policy.pause(attempts, ModelTimeout()) is None
    assert policy.pause(attempts, ModelOverloaded(retry_after_s=0)) is None


@settings(deadline=None)
@given(st.integers(1, 9), st.floats(0.001, 100), st.floats(0.001, 100))
def test_pauses_double_with_jitter_and_are_never_longer_than_the_longest(
    tried: int, pause_s: float, longest_pause_s: float
) -> None:
    policy = RetryPolicy(attempts=10, pause_s=pause_s, longest_pause_s=longest_pause_s)
    full = min(longest_pause_s, pause_s * 2 ** (tried - 1))

    pauses = [policy.pause(tried, ModelTimeout()) for _ in range(5)]

    assert all(pause is not None and full / 2 <= pause <= full for pause in pauses)
    assert len(set(pauses)) > 1, "without jitter, all who wait come back at the same moment"


@given(st.floats(0, 1000, allow_nan=False))
def test_what_the_provider_asks_for_is_honoured_to_the_second_or_the_try_is_given_up(retry_after_s: float) -> None:
    policy = RetryPolicy(pause_s=5, longest_pause_s=30)

    expected = retry_after_s if retry_after_s <= 30 else None
    assert policy.pause(1, ModelOverloaded(retry_after_s=retry_after_s)) == expected
