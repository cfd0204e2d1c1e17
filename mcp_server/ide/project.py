"""What is known of the project of a task as resources: repository, documentation, environment, preferences."""

import urllib.parse

import mcp.types as types

from domain.base import Value
from mcp_server.context.provider import Topic
from mcp_server.ide.session import IdeSession

TEXT = "text/plain"
BUDGET_TOKENS = 8_000
MOST_QUERY = 500
NOTHING = "[there is nothing to tell]"
DESCRIPTIONS = {
    "repository": ("Map of the repository", "The files and signatures that matter most."),
    "documentation{?q}": ("Documentation", "The documents and how the README begins; with `q`, the sections on that."),
    "environment": ("Environment", "Languages, declared versions, and how tests seem to be run."),
    "preferences": ("Preferences", "What AGENTS.md, CLAUDE.md, CONVENTIONS.md and your own settings ask for."),
}

CONTEXT_TEMPLATES = tuple(
    types.ResourceTemplate(
        uri_template=f"context://{{task_id}}/{part}", name=part.partition("{")[0], title=title, mime_type=TEXT,
        description=f"{description} Of the task's best tree.",
    )
    for part, (title, description) in DESCRIPTIONS.items()
)  # fmt: skip


class ContextAddress(Value):
    """What a URI names: a task, the provider, and what is looked for in documents."""

    task_id: str
    part: str
    query: str = ""


def context_address_of(uri: str) -> ContextAddress | None:
    """What a URI names, if anything."""
    try:
        parts = urllib.parse.urlsplit(uri)
        query = urllib.parse.parse_qs(parts.query, strict_parsing=bool(parts.query), max_num_fields=1)
    except ValueError:
        return None
    part, (wanted, *more) = parts.path.removeprefix("/"), query.pop("q", [""])
    misplaced = query or more or parts.fragment or len(wanted) > MOST_QUERY or (parts.query and part != "documentation")
    known = part in {key.partition("{")[0] for key in DESCRIPTIONS}
    if parts.scheme != "context" or not parts.netloc or misplaced or not known:
        return None
    return ContextAddress(task_id=parts.netloc, part=part, query=wanted)


async def read_context(session: IdeSession, address: ContextAddress) -> str | None:
    """The context of the task's best tree; None where this server tells none. UnknownTask."""
    if session.context is None or address.part not in session.context.names:
        return None
    files = await session.tasks.tree(session.owner, address.task_id)
    topic = Topic(owner=session.owner, query=address.query)
    gathered = await session.context.one(address.part, files, topic, BUDGET_TOKENS)
    return "\n".join((gathered.text, *gathered.notes)).strip() or NOTHING
