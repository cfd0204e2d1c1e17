"""The map as text."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.tokens import bytes_within, estimate_text
from mcp_server.code.symbol import Symbol
from mcp_server.repo_map.file_tags import FileTags, outline
from mcp_server.repo_map.mentioned import NOTHING, Mentioned
from mcp_server.repo_map.repo_map import draw
from tests.mcp_server.repo_map.trees import NAMES, PATHS, any_tags, kept, tags_of

PLENTY = 100_000
paths = st.sampled_from([*PATHS, "odd\u202e name é.py"])
mentions = st.builds(
    Mentioned,
    st.frozensets(st.sampled_from([*PATHS, "no.py"])),
    st.frozensets(st.sampled_from(NAMES)),
    st.frozensets(st.sampled_from(PATHS)),
)


def nested(depth: int) -> FileTags:
    """Classes in one another."""
    symbols = (
        Symbol("class", f"C{level}", f"class C{level}", 1, 1, level - 1 if level else None) for level in range(depth)
    )
    return kept(tuple(symbols), {}, {})


@settings(max_examples=40)
@given(st.dictionaries(paths, any_tags), st.integers(-5, 300), mentions, st.lists(st.sampled_from(["x.md", "é.txt"])))
@example({"a.py": nested(5000)}, 2000, NOTHING, [])
def test_the_budget_is_never_exceeded(
    files: dict[str, FileTags], budget: int, mentioned: Mentioned, others: list[str]
) -> None:
    drawn = draw([*files, *others], files, budget, mentioned)

    assert drawn == "" or estimate_text(drawn) <= budget


@settings(max_examples=40)
@given(st.dictionaries(paths, any_tags), mentions)
def test_with_room_for_all_every_file_is_shown_and_every_symbol_outside_of_functions(
    files: dict[str, FileTags], mentioned: Mentioned
) -> None:
    drawn = draw(list(files), files, PLENTY, mentioned)

    lines = drawn.split("\n") if drawn else []
    assert len(lines) == len(files) + sum(len(outline(tags).outer) for tags in files.values())


@settings(max_examples=40)
@given(st.dictionaries(paths, any_tags), mentions, st.integers(10, 200))
def test_equal_files_give_the_same_map(files: dict[str, FileTags], mentioned: Mentioned, budget: int) -> None:
    backwards = dict(reversed(files.items()))
    assert draw(list(backwards), backwards, budget, mentioned) == draw(list(files), files, budget, mentioned)


def test_symbols_stand_below_their_file_and_what_is_around_them_in_the_order_of_the_text() -> None:
    symbols = (
        Symbol("class", "Cart", "class Cart(list)", 1, 9, None),
        Symbol("method", "total", "def total(self) -> int", 2, 3, 0),
        Symbol("function", "main", "def main()", 10, 11, None),
        Symbol("function", "inner", "def inner()", 11, 11, 2),
    )
    files = {"src/shop.py": kept(symbols, {}, {}), "user.py": tags_of(uses={"total": 1})}
    drawn = draw(["README.md", *files], files, PLENTY, NOTHING)

    assert drawn == ("src/shop.py:\n  class Cart(list)\n    def total(self) -> int\n  def main()\nuser.py\nREADME.md")


def test_the_most_used_symbol_is_shown_first_when_there_is_room_for_one() -> None:
    files = {"defines.py": tags_of(["first", "second", "third"])}
    files |= {f"user{number}.py": tags_of(uses={"second": 1}) for number in range(3)}
    assert draw(list(files), files, 8 + 9, NOTHING) == "defines.py:\n  def second()"


def test_what_does_not_fit_is_left_out_and_what_is_shorter_is_shown() -> None:
    symbols = (
        Symbol("function", "long", f"def long({'a' * 100})", 1, 1, None),
        Symbol("class", "B", "class B", 2, 2, None),
    )
    files = {"a.py": kept(symbols, {}, {}), "user.py": tags_of(uses={"long": 1})}
    assert draw(list(files), files, 8 + 8, NOTHING) == "a.py:\n  class B\nuser.py"


def test_mentioned_files_come_first_and_then_mentioned_symbols() -> None:
    files = {"a.py": tags_of(["popular"]), "b.py": tags_of(["wanted"]), "c.py": tags_of(["here"])}
    files |= {f"user{number}.py": tags_of(uses={"popular": 1, "wanted": 1}) for number in range(3)}
    mentioned = Mentioned(files=frozenset({"c.py", "gone.py"}), identifiers=frozenset({"wanted"}))
    lines = draw(list(files), files, PLENTY, mentioned).split("\n")

    assert lines[:6] == ["c.py:", "  def here()", "b.py:", "  def wanted()", "a.py:", "  def popular()"]


def test_a_mentioned_file_that_we_cannot_read_is_shown_too() -> None:
    files = {"a.py": tags_of(["popular"])}
    drawn = draw(["a.py", "notes.txt"], files, PLENTY, Mentioned(files=frozenset({"notes.txt"})))
    assert drawn == "notes.txt\na.py:\n  def popular()"


def test_hostile_paths_and_signatures_are_shown_on_one_plain_line() -> None:
    symbol = Symbol("class", "A", "class A\n\x1b[31m  injected:\n", 1, 1, None)
    drawn = draw(["a\n\x1b]0;x\x07b.py"], {"a\n\x1b]0;x\x07b.py": kept((symbol,), {}, {})}, PLENTY, NOTHING)
    assert drawn == "a b.py:\n  class A injected:"


def test_no_files_give_an_empty_map() -> None:
    assert draw([], {}, PLENTY, NOTHING) == ""


@settings(deadline=None)
@given(st.integers(-10, 10_000), st.text(alphabet="aé\U0001f600", max_size=200))
def test_what_is_within_so_many_bytes_is_within_the_tokens(tokens: int, text: str) -> None:
    if text and len(text.encode()) <= bytes_within(tokens):
        assert estimate_text(text) <= tokens
