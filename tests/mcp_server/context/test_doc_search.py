"""Searching documents."""

import random

from hypothesis import given
from hypothesis import strategies as st

from domain.files import File, FileTree
from mcp_server.context.doc_search import MOST_BYTES, MOST_DOCUMENTS, search_documents
from mcp_server.context.documents import READ_BYTES

FILES: FileTree = {
    "README.md": File(content=b"# Shop\nA shop. See the docs.\n\n## Install\nRun pip install shop.\n"),
    "docs/pools.md": File(content=b"# Pools\nA pool keeps sandboxes.\n\n## Limits\nSet SOUNDSTAGE_POOL.\n"),
    "docs/audit.md": File(content=b"# Audit\nEvery call is a line. No pool is audited, and calls are calls.\n"),
    "app.py": File(content=b"# Pools\npool pool pool\n"),
}  # fmt: skip


def found(query: str, files: FileTree = FILES, most: int = 10) -> list[tuple[str, str]]:
    return [(one.path, one.heading) for one in search_documents(files, query, most).found]


def test_the_best_section_comes_first_and_only_documents_are_searched() -> None:
    assert found("how many sandboxes does a pool keep")[0] == ("docs/pools.md", "Pools")
    assert found("install") == [("README.md", "Install")]
    assert ("app.py", "Pools") not in found("pool")
    assert found("audited calls")[0] == ("docs/audit.md", "Audit")


def test_a_word_in_a_heading_counts_more_than_one_in_the_text() -> None:
    files: FileTree = {
        "a.md": File(content=b"# Other\nRetry once more.\n"),
        "b.md": File(content=b"# Retry\nOnce more again.\n"),
    }
    assert found("retry", files) == [("b.md", "Retry"), ("a.md", "Other")]


def test_plurals_case_and_parts_of_names_are_found() -> None:
    assert ("docs/pools.md", "Limits") in found("pools")
    assert found("SoundstagePool")[0] == ("docs/pools.md", "Limits")
    assert found("INSTALLS") == [("README.md", "Install")]


def test_what_does_not_occur_is_not_found() -> None:
    for query in ("zebra", "", " ?!", "\x00"):
        assert found(query) == []
    assert found("pool", {}) == []


def test_equal_trees_give_equal_answers_in_whatever_order_they_come() -> None:
    same = {f"docs/{number}.md": File(content=b"# Same\nthe same words\n") for number in range(50)}
    shuffled = dict(random.Random(1).sample(sorted(same.items()), 50))
    assert search_documents(same, "same words", 7) == search_documents(shuffled, "same words", 7)
    assert found("same words", same, 3) == [("docs/0.md", "Same"), ("docs/1.md", "Same"), ("docs/10.md", "Same")]


def test_huge_and_many_documents_are_searched_as_far_as_there_is_room() -> None:
    huge = File(content=b"# Huge\n" + b"word " * 10_000_000)
    far = {f"docs/{number:04}.md": File(content=b"needle\n") for number in range(MOST_DOCUMENTS + 50)}
    result = search_documents(far | {"README.md": huge}, "needle word", 1000)
    assert (result.documents, result.complete) == (MOST_DOCUMENTS, False)
    assert len(result.found) == MOST_DOCUMENTS
    many = {f"{number:04}.md": File(content=b"x" * READ_BYTES) for number in range(2 * MOST_BYTES // READ_BYTES)}
    assert search_documents(many, "x", 1).documents == MOST_BYTES // READ_BYTES


@given(
    st.dictionaries(st.sampled_from(["a.md", "docs/b.rst", "README"]), st.binary(max_size=200)), st.text(max_size=50)
)
def test_any_documents_and_any_query_have_an_answer(texts: dict[str, bytes], query: str) -> None:
    files = {path: File(content=content) for path, content in texts.items()}
    assert len(search_documents(files, query, 2).found) <= 2
