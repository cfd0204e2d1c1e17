"""Code that was escaped once too often, or lies in a fence of its own."""

import ast
import html
import re
import warnings

from specialists.reading.paths import MARKUP, extension_of

ENTITY = re.compile(r"&(?:lt|gt|quot|amp|#39|#x27);")
QUOTED = re.compile(r"'[^'\n]*'|`[^`\n]*`")
FENCED = re.compile(r"\s*```[\w+#-]*[ \t]*\n(.*)\n```\s*", re.DOTALL)
ESCAPED = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\'": "'", "\\\\": "\\"}
ESCAPE = re.compile(r"\\[nt\"'\\]")
MOST_CHARACTERS = 200_000
MOST_BRACKETS = 60
"""As much as is given to Python's parser, and as deep, before a text counts as no Python."""


def is_python(text: str) -> bool:
    """Whether the text is a Python module, as far as its grammar goes."""
    return parsed(text) is not None


def parsed(text: str) -> ast.Module | None:
    """The text as a Python module; None where it is none, or is too large or too deep to try."""
    if len(text) > MOST_CHARACTERS or _depth(text) > MOST_BRACKETS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _depth(text: str) -> int:
    """How deep brackets nest, at most, where strings count like code."""
    depth = deepest = 0
    for found in re.finditer(r"[(\[{]|[)\]}]", text):
        depth = depth + 1 if found[0] in "([{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def mended(path: str, content: str) -> str:
    """The content of a file, unwrapped and unescaped where that is beyond doubt; else as it is.

    For Python it is beyond doubt where the text is Python only afterwards; for other code, where a character entity
    stands outside of quotes and none of the characters that entities stand for occurs.
    """
    extension = extension_of(path)
    if extension in MARKUP:
        return content
    if (found := FENCED.fullmatch(content)) and "```" not in found[1]:
        content = f"{found[1]}\n"
    if extension in {"py", "pyi"}:
        return _python(content)
    if "\n" not in content and content.count("\\n") >= 2 and "'" not in content and '"' not in content:
        content = _unescaped(content)
    return html.unescape(content) if _only_entities(content) else content


def mended_command(command: str) -> str:
    """A shell command with its character entities put right, where nobody can mean them."""
    return html.unescape(command) if _only_entities(command) else command


def _python(content: str) -> str:
    candidates = []
    if ENTITY.search(content):
        candidates.append(html.unescape(content))
    if "\n" not in content.strip() and "\\n" in content:
        candidates.append(_unescaped(content))
    if not candidates or is_python(content):
        return content
    return next((candidate for candidate in candidates if is_python(candidate)), content)


def _unescaped(text: str) -> str:
    return ESCAPE.sub(lambda found: ESCAPED[found[0]], text)


def _only_entities(text: str) -> bool:
    bare = ENTITY.sub("", text)
    return not set('<>"&') & set(bare) and ENTITY.search(QUOTED.sub("", text)) is not None
