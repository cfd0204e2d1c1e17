"""Tasks as resources: their state, events, patch, evidence, kept files, and what is known of their projects, by URI."""

import base64
import json
import mimetypes
import urllib.parse

import mcp.types as types

from domain.base import Value
from domain.describe import describe
from domain.errors import UnknownArtifact, UnknownTask
from domain.events import Event
from domain.text import one_line, plain
from mcp_server.caller import Permission
from mcp_server.ide.project import CONTEXT_TEMPLATES, TEXT, ContextAddress, context_address_of, read_context
from mcp_server.ide.session import IdeSession
from mcp_server.ide.views import state_of

MIB = 1024 * 1024
MOST_BYTES = 8 * MIB
PAGE = 50
EVENTS_PAGE = 200
SHOWN_LINE = 500
JSON, JSON_LINES, PATCH = "application/json", "application/jsonl", "text/x-diff"

TEMPLATES = (
    types.ResourceTemplate(
        uri_template="task://{task_id}", name="task", title="Task", mime_type=JSON,
        description="Where a task stands: status, subtasks, open questions, and at the end why it ended.",
    ),
    types.ResourceTemplate(
        uri_template="task://{task_id}/events{?after}", name="events", title="Events of a task", mime_type=JSON_LINES,
        description=f"What happened: JSON lines, {EVENTS_PAGE} at most; `after` is the last `seq` that was seen.",
    ),
    types.ResourceTemplate(
        uri_template="task://{task_id}/patch", name="patch", title="Patch of a task", mime_type=PATCH,
        description="What the task changed, as `git apply` takes it.",
    ),
    types.ResourceTemplate(
        uri_template="task://{task_id}/evidence", name="evidence", title="Evidence of a task", mime_type=JSON,
        description="What a clean room saw of the work, test by test.",
    ),
    types.ResourceTemplate(
        uri_template="task://{task_id}/artifacts/{+path}", name="artifact", title="Kept file of a task",
        description="A file that the task kept besides its tree.",
    ),
    *CONTEXT_TEMPLATES,
)  # fmt: skip


class UnknownResource(Exception):
    """There is no such resource, or it is somebody else's."""


class Address(Value):
    """What a URI names: a task, a part of it, and what follows that."""

    task_id: str
    part: str = ""
    rest: str = ""
    after: int = 0


class Content(Value):
    """What a resource holds."""

    data: bytes
    mime_type: str


def address_of(uri: str) -> Address:
    """What a URI names. UnknownResource."""
    try:
        parts = urllib.parse.urlsplit(uri)
        query = urllib.parse.parse_qs(parts.query, strict_parsing=bool(parts.query))
        after = int(query.pop("after", ["0"])[0])
    except ValueError:
        raise UnknownResource from None
    part, _, rest = parts.path.removeprefix("/").partition("/")
    misplaced = query or parts.fragment or (after and part != "events") or (bool(rest) != (part == "artifacts"))
    if parts.scheme != "task" or not parts.netloc or misplaced or not 0 <= after < 2**53:
        raise UnknownResource
    return Address(task_id=parts.netloc, part=part, rest=urllib.parse.unquote(rest), after=after)


async def list_resources(session: IdeSession, cursor: str | None) -> types.ListResourcesResult:
    """The caller's tasks, the newest first. UsageError for a cursor that leads nowhere."""
    if not session.may(Permission.SEE_TASKS):
        return types.ListResourcesResult(resources=[])
    page = await session.tasks.page(session.owner, None, cursor, PAGE)
    resources = [
        types.Resource(
            uri=f"task://{task.id}", name=task.id, title=one_line(task.prompt, 80), mime_type=JSON,
            description=f"{task.status}, submitted {task.submitted_at[:19]}",
        )
        for task in page.tasks
    ]  # fmt: skip
    return types.ListResourcesResult(resources=resources, next_cursor=page.cursor)


async def read_resource(session: IdeSession, uri: str) -> types.ReadResourceResult:
    """What a URI holds. UnknownResource, whether there is none or it is somebody else's; ValueError where it is too
    large to be read at once."""
    if not session.may(Permission.SEE_TASKS):
        raise UnknownResource
    address = context_address_of(uri) or address_of(uri)
    session.about(address.task_id)
    try:
        content = await (_read(session, address) if isinstance(address, Address) else _tell(session, address))
    except (UnknownTask, UnknownArtifact):
        raise UnknownResource from None
    if len(content.data) > MOST_BYTES:
        raise ValueError(f"It is larger than {MOST_BYTES // MIB} MiB. Read a patch in pieces with get_patch.")
    return types.ReadResourceResult(contents=[_contents(uri, content)])


async def _read(session: IdeSession, address: Address) -> Content:
    owner, task_id = session.owner, address.task_id
    match address.part:
        case "":
            state = state_of(await session.tasks.get(owner, task_id), session.may(Permission.SEE_COSTS))
            return Content(data=state.model_dump_json().encode(), mime_type=JSON)
        case "events":
            events = await session.tasks.events(owner, task_id, address.after, EVENTS_PAGE)
            return Content(data="".join(map(_line, events)).encode(), mime_type=JSON_LINES)
        case "patch":
            return Content(data=(await session.tasks.patch(owner, task_id)).content, mime_type=PATCH)
        case "evidence":
            evidence = await session.tasks.evidence(owner, task_id)
            seen = b"null" if evidence is None else evidence.model_dump_json().encode()
            return Content(data=seen, mime_type=JSON)
        case "artifacts":
            kind = mimetypes.guess_type(address.rest)[0] or "application/octet-stream"
            return Content(data=await session.tasks.artifact(owner, task_id, address.rest), mime_type=kind)
        case _:
            raise UnknownResource


async def _tell(session: IdeSession, address: ContextAddress) -> Content:
    text = await read_context(session, address)
    if text is None:
        raise UnknownResource
    return Content(data=text.encode(), mime_type=TEXT)


def _line(event: Event) -> str:
    """An event without what it cost: not everybody may see that."""
    text = plain(describe(event) or event.fact.type.replace("_", " "))[:SHOWN_LINE]
    return json.dumps({"seq": event.seq, "at": event.at.isoformat(), "type": event.fact.type, "text": text}) + "\n"


def _contents(uri: str, content: Content) -> types.TextResourceContents | types.BlobResourceContents:
    try:
        return types.TextResourceContents(uri=uri, mime_type=content.mime_type, text=content.data.decode())
    except UnicodeDecodeError:
        blob = base64.b64encode(content.data).decode()
        return types.BlobResourceContents(uri=uri, mime_type=content.mime_type, blob=blob)
