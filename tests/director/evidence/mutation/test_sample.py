"""Which mutants are chosen."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from director.evidence.mutation.sample import sample, spread
from domain.files import File
from mcp_server.code.mutant import Mutant
from mcp_server.parsers.parsers import Parsers

SOURCE = b"def f(a, b):\n    if a < b and a != 0:\n        return a + 1\n    return b - 2\n"
TREE = {"calc.py": File(content=SOURCE), "notes.txt": File(content=b"1 < 2"), "link.py": File(link="calc.py")}
MUTANTS = st.builds(
    Mutant, st.sampled_from(["boundary", "constant", "return"]), st.integers(1, 5), st.integers(0, 99), st.just(100),
    st.text(max_size=2), st.just("what"),
)  # fmt: skip


async def chosen(lines: dict[str, range], most: int, seed: str = "tree") -> list[tuple[int, str]]:
    """The line and the change of each mutant."""
    async with Parsers() as parsers:
        found = await sample(parsers, TREE, dict(lines), most, seed)
    return [(one.mutant.line, one.mutant.what) for one in found]


async def test_the_same_tree_has_the_same_sample_and_another_one_another() -> None:
    lines = {"calc.py": range(1, 9)}
    assert await chosen(lines, 6) == await chosen(lines, 6)
    assert await chosen(lines, 6) != await chosen(lines, 6, "other")


async def test_only_the_given_lines_are_changed_and_only_of_files_that_are_code() -> None:
    assert {line for line, _ in await chosen({"calc.py": range(3, 4)}, 50)} == {3}
    assert await chosen({"notes.txt": range(9), "link.py": range(9), "gone.py": range(9)}, 50) == []


async def test_a_small_sample_has_many_operators_and_lines() -> None:
    async with Parsers() as parsers:
        found = await sample(parsers, TREE, {"calc.py": range(1, 9)}, 5, "tree")
    assert len({one.mutant.operator for one in found}) == 5
    assert {one.mutant.line for one in found} == {2, 3, 4}
    assert all(one.content != SOURCE for one in found)


@given(st.lists(MUTANTS, max_size=30, unique=True), st.text(max_size=5))
def test_every_mutant_comes_once_and_operators_take_turns(found: list[Mutant], seed: str) -> None:
    ordered = spread([("a.py", mutant) for mutant in found], seed)
    assert Counter(ordered) == Counter(("a.py", mutant) for mutant in found)
    kinds = {mutant.operator for mutant in found}
    assert {mutant.operator for _, mutant in ordered[: len(kinds)]} == kinds
