"""Searching the documents of the workspace."""

import asyncio

from pydantic import BaseModel, ConfigDict, Field

from mcp_server.caller import Permission
from mcp_server.context.doc_search import search_documents
from mcp_server.context.documentation import shown
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.untrusted import untrusted

MOST_CHARACTERS = 12_000


class SearchDocs(BaseModel):
    """Arguments of search_docs."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=500, description="words to look for")
    max_results: int = Field(default=5, ge=1, le=20, description="most sections to show")


class DocPlace(BaseModel):
    """A section: its document, its first line, its heading."""

    path: str
    line: int
    heading: str


class DocPlaces(BaseModel):
    """The best sections, the best first. ``complete`` says whether every document was looked at."""

    sections: list[DocPlace]
    documents: int
    complete: bool


async def _search(session: ToolSession, arguments: SearchDocs) -> ToolOutcome:
    tree = dict(session.tree)
    result = await asyncio.to_thread(search_documents, tree, arguments.query, arguments.max_results)
    if not result.documents:
        raise ToolRefused("The workspace has no documents, such as README.md or docs/*.md. Use search for its code.")
    places = [DocPlace(path=one.path, line=one.line, heading=one.heading) for one in result.found]
    data = DocPlaces(sections=places, documents=result.documents, complete=result.complete)
    if not result.found:
        return ToolOutcome(text=f"None of the {result.documents} documents holds these words.", data=data)
    most = MOST_CHARACTERS // len(result.found)
    text = untrusted("the workspace's documentation", "\n\n".join(shown(one, most) for one in result.found))
    rest = "" if result.complete else "\n[some documents were not looked at: there are too many]"
    return ToolOutcome(text=text + rest, data=data)


DOCUMENT_TOOLS = (
    Tool(
        name="search_docs",
        description="Finds the sections of the workspace's documents (README, docs) that tell most about some words.",
        session=ToolSession,
        arguments=SearchDocs,
        permission=Permission.READ,
        handler=_search,
        example={"query": "configure the connection pool", "max_results": 5},
        data=DocPlaces,
        read_only=True,
        idempotent=True,
        limits=ToolLimits(timeout_s=60),
    ),
)
