from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.events import Event, Fact, TaskSubmitted, ToolCalled
from domain.files import File, TreeChange
from tests.domain.sample_facts import FACTS, spec

FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
KINDS = get_args(get_args(Fact)[0])


def test_the_samples_have_one_fact_of_every_kind_and_every_kind_has_a_tag_of_its_own() -> None:
    assert sorted(type(fact).__name__ for fact in FACTS) == sorted(kind.__name__ for kind in KINDS)
    assert len({fact.type for fact in FACTS}) == len(KINDS)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_every_fact_survives_json_by_itself_and_in_its_envelope(fact: Fact) -> None:
    event = Event(task_id="t1", seq=1, key="k", at=datetime(2026, 11, 21, 12, 0, 0, 5, tzinfo=UTC), fact=fact)

    assert FACT.validate_json(FACT.dump_json(fact)) == fact
    assert Event.model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_a_fact_is_frozen_and_refuses_fields_it_does_not_know(fact: Fact) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        fact.type = "other"  # type: ignore[assignment, misc]  # what is refused here
    with pytest.raises(ValidationError, match="Extra inputs"):
        FACT.validate_python({**fact.model_dump(), "surprise": 1})


@settings(deadline=None)
@given(st.text(), st.floats(min_value=0, allow_nan=False, allow_infinity=False))
def test_whatever_text_and_duration_a_tool_has_comes_back_from_json(text: str, duration_s: float) -> None:
    told = ToolCalled(subtask_id="s", tool=text, summary=text, ok=True, duration_s=duration_s, observation=text)

    assert FACT.validate_json(FACT.dump_json(told)) == told


@settings(deadline=None)
@given(st.dictionaries(st.text(alphabet="abc/", min_size=1).filter(lambda path: "//" not in path), st.binary()))
def test_bytes_survive_json_whatever_they_are(contents: dict[str, bytes]) -> None:
    files = {path.strip("/") or "a": File(content=content) for path, content in contents.items()}
    change = TreeChange(written=files, deleted=frozenset({"gone"}))

    assert TreeChange.model_validate_json(change.model_dump_json()) == change


def test_a_fact_of_a_kind_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="tag"):
        FACT.validate_json(b'{"type": "task_paused"}')


@pytest.mark.parametrize("prompt", ["\ud800", "caf\udce9"], ids=ascii)
def test_a_prompt_that_is_no_unicode_is_refused_or_can_be_stored(prompt: str) -> None:
    """The command line hands bytes that are no UTF-8 over as surrogates."""
    try:
        fact: Fact = TaskSubmitted(spec=spec(prompt=prompt))
    except ValidationError:
        return
    assert FACT.validate_json(FACT.dump_json(fact)) == fact
