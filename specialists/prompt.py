"""Prompts of roles: Markdown with placeholders for what depends on the language of the work."""

import re

from sandbox.languages import language

PLACEHOLDERS = ("language", "test_framework", "test_files")
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
"""Anything else in braces is text."""


def unknown_placeholders(prompt: str) -> tuple[str, ...]:
    """The names in braces that stand for nothing."""
    return tuple(sorted(set(PLACEHOLDER.findall(prompt)) - set(PLACEHOLDERS)))


def fill(prompt: str, language_name: str) -> str:
    """The prompt for work in a language. UsageError for a language that there is not."""
    entry = language(language_name)
    values = {
        "language": entry.title,
        "test_framework": entry.test_framework,
        "test_files": entry.test_files,
    }
    return PLACEHOLDER.sub(lambda found: values[found[1]], prompt)
