"""Which files and symbols matter most."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.repo_map.file_tags import FileTags
from mcp_server.repo_map.mentioned import NOTHING, Mentioned
from mcp_server.repo_map.ranking import MOST_DEFINERS, rank
from tests.mcp_server.repo_map.trees import NAMES, PATHS, any_tags, tags_of


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(1, 5))
def test_a_symbol_that_many_files_use_ranks_above_one_that_fewer_use(many: int, extra: int) -> None:
    files = {"defines.py": tags_of(["used_much", "used_once", "never_used"])}
    files |= {f"user{number}.py": tags_of(uses={"used_much": 1}) for number in range(many + extra)}
    files["other.py"] = tags_of(uses={"used_once": 1})
    names = rank(files, NOTHING).names

    assert names["used_much"] > names["used_once"] > 0
    assert "never_used" not in names


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(PATHS), any_tags), st.randoms())
def test_equal_files_rank_equally_in_whatever_order_they_come(files: dict[str, FileTags], random: Random) -> None:
    shuffled = random.sample(list(files.items()), len(files))
    assert rank(dict(shuffled), NOTHING) == rank(files, NOTHING)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(PATHS), any_tags, min_size=1), st.data())
def test_a_mentioned_file_ranks_higher_than_it_would_otherwise(files: dict[str, FileTags], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(files)))
    plain, focused = rank(files, NOTHING), rank(files, Mentioned(files=frozenset({path})))

    assert focused.files[path] >= plain.files[path] - 1e-9
    assert sum(focused.files.values()) < 1.000001


def test_what_a_mentioned_or_changed_file_uses_ranks_higher() -> None:
    files = {
        "a.py": tags_of(uses={"near": 1}),
        "b.py": tags_of(uses={"far": 1}),
        "c.py": tags_of(uses={"far": 1}),
        "d.py": tags_of(["near"]),
        "e.py": tags_of(["far"]),
    }
    plain = rank(files, NOTHING).names
    assert plain["far"] > plain["near"]
    for mentioned in (Mentioned(files=frozenset({"a.py"})), Mentioned(changed=frozenset({"a.py"}))):
        focused = rank(files, mentioned).names
        assert focused["near"] > focused["far"]


def test_a_mentioned_identifier_lifts_the_file_that_defines_it() -> None:
    files = {path: tags_of([f"only_in_{number}"]) for number, path in enumerate(PATHS)}
    focused = rank(files, Mentioned(identifiers=frozenset({"only_in_3", "nowhere"}))).files

    assert max(focused, key=lambda path: focused[path]) == PATHS[3]


def test_a_name_that_a_file_defines_itself_leads_nowhere() -> None:
    files = {"a.py": tags_of(["same"], {"same": 9}), "b.py": tags_of(["same"])}
    assert rank(files, NOTHING).names == {}


def test_a_name_that_many_define_leads_nowhere() -> None:
    files = {f"{number}.py": tags_of(["main"]) for number in range(MOST_DEFINERS + 1)}
    files["user.py"] = tags_of(uses={"main": 1})
    assert rank(files, NOTHING).names == {}


def test_a_name_that_two_define_counts_less_than_one_that_one_defines() -> None:
    files = {
        "a.py": tags_of(["shared", "single"]),
        "b.py": tags_of(["shared"]),
        "user.py": tags_of(uses={"shared": 1, "single": 1}),
    }
    names = rank(files, NOTHING).names
    assert names["single"] > names["shared"] > 0


def test_a_name_that_everybody_uses_leads_less_than_one_that_few_use() -> None:
    files = {"a.py": tags_of(["common"]), "b.py": tags_of(["rare"]), "c.py": tags_of(uses={"common": 1, "rare": 1})}
    files |= {f"user{number}.py": tags_of(uses={"common": 1}) for number in range(8)}
    names = rank(files, Mentioned(files=frozenset({"c.py"}))).names
    assert names["rare"] > names["common"]


def test_no_files_have_no_ranks() -> None:
    assert rank({}, Mentioned(files=frozenset({"a.py"}), identifiers=frozenset(NAMES))).files == {}
