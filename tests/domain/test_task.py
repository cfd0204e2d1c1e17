import pytest
from pydantic import ValidationError

from domain.task import MAX_PROMPT_BYTES, Limits, TaskStatus
from tests.domain.sample_facts import spec


@pytest.mark.parametrize("prompt", ["", " \n\t", "\u3000"], ids=ascii)
def test_a_prompt_that_says_nothing_is_refused(prompt: str) -> None:
    with pytest.raises(ValidationError, match="say what to build or fix"):
        spec(prompt=prompt)


@pytest.mark.parametrize("letter", ["x", "\u6f22"], ids=ascii)
def test_a_prompt_may_reach_its_limit_in_bytes_and_not_pass_it(letter: str) -> None:
    longest = letter * (MAX_PROMPT_BYTES // len(letter.encode()))

    assert spec(prompt=longest).prompt == longest
    with pytest.raises(ValidationError, match="256 KiB; put long material into files"):
        spec(prompt=longest + letter)


def test_a_task_is_finished_in_every_status_but_the_first_two() -> None:
    assert [status for status in TaskStatus if not status.finished] == [TaskStatus.SUBMITTED, TaskStatus.RUNNING]


@pytest.mark.parametrize("wrong", [{"max_tokens": 0}, {"max_steps": 0}, {"wall_clock_s": 0.0}, {"max_attempts": 0}])
def test_no_limit_can_be_switched_off_with_a_zero(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate(wrong)
