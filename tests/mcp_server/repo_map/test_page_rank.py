"""PageRank."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.repo_map.page_rank import page_rank


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[int, float]]:
    """Links whose shares are at most 1 together."""
    size = draw(st.integers(1, 8))
    rows = []
    for _ in range(size):
        weights = draw(st.dictionaries(st.integers(0, size - 1), st.floats(0.1, 5.0), max_size=size))
        total = sum(weights.values()) + draw(st.floats(0.0, 3.0))
        rows.append({place: weight / total for place, weight in weights.items()})
    return rows


@settings(deadline=None)
@given(graphs())
def test_the_ranks_are_one_in_all_and_none_is_negative(links: list[dict[int, float]]) -> None:
    ranks = page_rank(links, [1 / len(links)] * len(links))

    assert sum(ranks) == pytest.approx(1.0)
    assert all(rank >= 0 for rank in ranks)


def test_without_links_everybody_stays_where_he_began() -> None:
    assert page_rank([{}, {}], [0.25, 0.75]) == pytest.approx([0.25, 0.75])


def test_a_known_graph_has_its_known_ranks() -> None:
    # Two places that lead to each other, and a third that leads to the first: solved by hand with a damping of 0.85.
    ranks = page_rank([{1: 1.0}, {0: 1.0}, {0: 1.0}], [1 / 3] * 3)
    assert ranks == pytest.approx([0.4865, 0.4635, 0.05], abs=0.03)


def test_a_place_that_more_lead_to_has_the_higher_rank() -> None:
    ranks = page_rank([{1: 1.0}, {}, {1: 1.0}, {2: 1.0}], [0.25] * 4)
    assert ranks[1] > ranks[2] > ranks[0]


def test_no_places_have_no_ranks() -> None:
    assert page_rank([], []) == []
