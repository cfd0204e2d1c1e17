"""Requests to hosts that are allowed."""

from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.text import one_line, plain
from mcp_server.caller import Permission
from mcp_server.registry import AnyTool
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome
from mcp_server.untrusted import untrusted
from mcp_server.web.web import Web, WebAnswer, WebRequest

MOST_BYTES = 1024 * 1024
MOST_BODY = 256 * 1024
SHOWN_HEADERS = 30
LISTED_HOSTS = 10
CHARSETS = ("us-ascii", "iso-8859-", "windows-125", "utf-16")


class HttpRequest(BaseModel):
    """Arguments of http_request."""

    model_config = ConfigDict(extra="forbid")

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(
        default="GET", description="HTTP method"
    )
    url: str = Field(min_length=1, max_length=8000, description="a whole http or https URL")
    headers: dict[str, str] = Field(default_factory=dict, max_length=30, description="headers to send, by name")
    body: str = Field(default="", max_length=MOST_BODY, description="what to send, as text")
    timeout_s: float = Field(default=30, gt=0, le=60, description="seconds until it is given up")


class HttpAnswer(BaseModel):
    """What came back. ``size`` is the bytes that were read of the body, ``cut`` whether there are more of them;
    ``hops`` are the URLs that led there."""

    url: str
    status: int
    content_type: str
    size: int
    cut: bool
    hops: tuple[str, ...]


async def _request(web: Web, session: ToolSession, arguments: HttpRequest) -> ToolOutcome:
    del session
    request = WebRequest(
        method=arguments.method, url=arguments.url, headers=tuple(arguments.headers.items()),
        body=arguments.body.encode("utf-8", "replace"),
    )  # fmt: skip
    answer = await web.fetch(request, MOST_BYTES, arguments.timeout_s)
    kind = _header(answer, "content-type")
    data = HttpAnswer(
        url=answer.url, status=answer.status, content_type=one_line(kind), size=len(answer.body), cut=answer.cut,
        hops=answer.hops,
    )  # fmt: skip
    head = [f"HTTP {answer.status} from {answer.url}", *(f"redirected by {hop}" for hop in answer.hops)]
    head += [f"{one_line(name)}: {one_line(value, 300)}" for name, value in answer.headers[:SHOWN_HEADERS]]
    cut = f"\n[cut: the body is longer than {MOST_BYTES} bytes]" if answer.cut else ""
    text = "\n".join([*head, "", _text(answer, kind)]) + cut
    return ToolOutcome(text=untrusted(answer.url, text), ok=answer.status < 400, data=data)


def _header(answer: WebAnswer, name: str) -> str:
    return next((value for header, value in answer.headers if header == name), "")


def _text(answer: WebAnswer, kind: str) -> str:
    """The body as text; what it is where it is none."""
    charset = kind.lower().partition("charset=")[2].strip('" ').partition(";")[0]
    known = charset if charset.startswith(CHARSETS) else "utf-8"
    try:
        text = answer.body.decode(known, "strict" if known == "utf-8" and not answer.cut else "replace")
    except (UnicodeDecodeError, LookupError):
        text = "\0"
    if "\0" in text or _header(answer, "content-encoding"):
        return f"[{len(answer.body)} bytes that are no text: {one_line(kind) or 'of no known type'}]"
    return plain(text) or "[the body is empty]"


def http_tools(web: Web) -> tuple[AnyTool, ...]:
    """The tool; its description names the hosts that it can reach."""
    hosts = ", ".join(map(str, web.hosts[:LISTED_HOSTS])) or "none; every request is refused"
    more = f" and {len(web.hosts) - LISTED_HOSTS} more" if len(web.hosts) > LISTED_HOSTS else ""
    return (
        Tool(
            name="http_request",
            description=f"Makes an HTTP request to an allowed host: {hosts}{more}.",
            session=ToolSession,
            arguments=HttpRequest,
            permission=Permission.REACH,
            handler=partial(_request, web),
            example={"method": "GET", "url": "https://api.example.com/items", "headers": {}, "body": ""},
            data=HttpAnswer,
            destructive=True,
            open_world=True,
            limits=ToolLimits(timeout_s=75),
        ),
    )
