import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.thinking import Thinking

PARTS = st.lists(
    st.sampled_from(["<think>", "</think>", "<th", "ink>", "</", " ", "\n", "a", "<", "think>"]), max_size=8
)


def parted(pieces: list[str]) -> tuple[str, str]:
    thinking = Thinking()
    found = [*(thinking.part(piece) for piece in pieces), thinking.rest()]
    return "".join(text for text, _ in found), "".join(thought for _, thought in found)


@pytest.mark.parametrize(
    ("text", "answer", "thought"),
    [
        ("<think>why</think>because", "because", "why"),
        ("\n<think>\nwhy\n</think>\n\nbecause", "because", "\nwhy\n"),
        ("<think></think>x", "x", ""),
        ("<think>never ending", "", "never ending"),
        ("<think>never ending</thi", "", "never ending</thi"),
        ("plain", "plain", ""),
        ("  plain", "  plain", ""),
        ("<thin", "<thin", ""),
        ("<thing>", "<thing>", ""),
        ("a <think>b</think>", "a <think>b</think>", ""),
        ("<think>a</think>b<think>c</think>", "b<think>c</think>", "a"),
        ("", "", ""),
    ],
)
def test_thoughts_at_the_beginning_of_an_answer_are_parted_from_it(text: str, answer: str, thought: str) -> None:
    assert parted([text]) == (answer, thought)
    assert parted(list(text)) == (answer, thought)


@given(PARTS)
def test_it_makes_no_difference_where_the_pieces_of_an_answer_are_cut(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert parted(pieces) == parted([text]) == parted(list(text))
    assert sum(map(len, parted(pieces))) <= len(text)
