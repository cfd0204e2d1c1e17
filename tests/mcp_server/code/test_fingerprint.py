"""How a language is read."""

import dataclasses

from mcp_server.code.fingerprint import fingerprint
from mcp_server.code.languages import LANGUAGES


def test_each_language_has_a_fingerprint_of_its_own() -> None:
    assert len({fingerprint(language) for language in LANGUAGES}) == len(LANGUAGES)


def test_a_language_with_other_queries_has_another_fingerprint() -> None:
    python = LANGUAGES[0]
    assert fingerprint(dataclasses.replace(python, queries=("python", "tsx"))) != fingerprint(python)
    assert fingerprint(dataclasses.replace(python)) == fingerprint(python)
