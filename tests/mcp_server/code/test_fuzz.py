"""Whatever the bytes are, reading them gives an answer. What ends the process is tried in tests/mcp_server/parsers."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.code.languages import LANGUAGES
from mcp_server.code.problems import syntax_problems
from mcp_server.code.reading import tags
from tests.mcp_server.code.outline import SAMPLES

PIECES = st.sampled_from(
    [b"(", b")", b"[", b"]", b"{", b"}", b"<", b">", b'"', b"'", b"`", b"\\", b"\n", b"\r\n", b"\r", b"\x00", b"\xff",
     b"\xef\xbb\xbf", b" ", b"\t", b"#", b"//", b"/*", b"*/", b'"""', b"<<A\n", b"A\n", b"${", b"$(", b"=>", b":", b";",
     b"def ", b"class ", b"fn ", b"func ", b"function ", b"end\n", b"@a", b"x", b"1", b"=", b",", b".",
     b"\xf0\x9f\x98\x80"]
)  # fmt: skip


def sources(language: str) -> st.SearchStrategy[bytes]:
    """Any bytes, pieces of code in any order, and the language's sample with something cut out and put in."""
    sample = SAMPLES[language].read_bytes()
    places = st.integers(0, len(sample))
    cut = st.tuples(places, places, st.lists(PIECES, max_size=6)).map(
        lambda parts: sample[: min(parts[:2])] + b"".join(parts[2]) + sample[max(parts[:2]) :]
    )
    return st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=40).map(b"".join), cut)


@pytest.mark.parametrize("language", [language.name for language in LANGUAGES])
def test_any_bytes_are_read_and_what_was_found_fits_them(language: str) -> None:
    path = SAMPLES[language].name

    @settings(deadline=None, max_examples=60)
    @given(sources(language))
    def check(source: bytes) -> None:
        found, problems = tags(path, source), syntax_problems(path, source)
        assert found is not None
        assert problems is not None
        lines = source.count(b"\n") + 1
        for index, symbol in enumerate(found.symbols):
            assert symbol.name
            assert "\n" not in symbol.signature
            assert 1 <= symbol.start_line <= symbol.end_line <= lines
            assert symbol.parent is None or 0 <= symbol.parent < index
        assert all(1 <= problem.line <= lines for problem in problems)
        json.dumps([found, problems])

    check()
