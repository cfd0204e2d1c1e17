"""How a language is read, in a few characters."""

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

from mcp_server.code.languages import Language

FOLDER = Path(__file__).parent


@cache
def fingerprint(language: Language) -> str:
    """Another one when the same source may be read in another way: by our code, our queries, or its grammar."""
    module = language.grammar.split(":")[0]
    versions = [metadata.version("tree-sitter"), metadata.version(module.replace("_", "-"))]
    queries = [FOLDER / "queries" / f"{name}.scm" for name in language.queries]
    digest = hashlib.sha256(repr((language, versions)).encode())
    for file in (*sorted(FOLDER.glob("*.py")), *queries):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
