"""The documentation of a project as context: which documents there are, and how the README begins."""

import asyncio

from domain.files import FileTree
from domain.text import excerpt, one_line
from domain.tokens import bytes_within
from mcp_server.context.doc_search import search_documents
from mcp_server.context.documents import Section, documents, read_text, readme, title_of
from mcp_server.context.provider import Topic, beginning, marked

LISTED = 60
LISTING_SHARE = 0.3
MOST_FOUND = 10
SECTION_CHARACTERS = 1_500
TITLE_BYTES = 4 * 1024


class Documentation:
    """Implements ``mcp_server.context.provider.ContextProvider``."""

    name = "documentation"

    async def give(self, files: FileTree, topic: Topic, budget_tokens: int) -> str:
        """The documents with their titles, and then the README; or the sections that a query finds."""
        about = _found if topic.query else _overview
        text = await asyncio.to_thread(about, files, topic.query, budget_tokens)
        return marked("the repository's documentation", text, budget_tokens)


def shown(section: Section, most: int = SECTION_CHARACTERS) -> str:
    """A section with its place."""
    heading = f" {section.heading}" if section.heading else ""
    return f"{one_line(section.path, 300)}:{section.line}{heading}\n{excerpt(section.text.strip(), most)}"


def _found(files: FileTree, query: str, budget_tokens: int) -> str:
    del budget_tokens
    found = search_documents(files, query, MOST_FOUND).found
    return "\n\n".join(map(shown, found)) or "No section of a document holds these words."


def _overview(files: FileTree, query: str, budget_tokens: int) -> str:
    del query
    paths = documents(files)
    if not paths:
        return ""
    more = [f"... and {len(paths) - LISTED} more"] if len(paths) > LISTED else []
    listing = "\n".join([f"Documents ({len(paths)}):", *(_line(files, path) for path in paths[:LISTED]), *more])
    parts = [beginning(listing, int(bytes_within(budget_tokens) * LISTING_SHARE))]
    if (first := readme(files)) is not None:
        text = read_text(files[first])
        parts.append(f"{first} is no text." if text is None else f"How {first} begins:\n{text.strip()}")
    return "\n\n".join(part for part in parts if part)


def _line(files: FileTree, path: str) -> str:
    title = title_of(read_text(files[path], TITLE_BYTES) or "")
    return f"- {one_line(path, 200)}" + (f": {title}" if title else "")
