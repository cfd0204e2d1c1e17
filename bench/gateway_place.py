"""A gateway with a real ledger in front of the fake upstream, and the bare SDK beside it."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import openai
from pydantic import SecretStr

from domain.chat import AssistantMessage, Message, ModelRequest, SystemMessage, ToolCall, ToolMessage, UserMessage
from domain.ledger import Scope
from domain.money import NanoUsd
from domain.redaction import Redactor
from domain.secrets import ProviderKey
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.adapters.openai_wire import to_wire
from gateway.base import Call, Endpoint
from gateway.gateway import Gateway
from gateway.keys import KeyRing
from gateway.policy import GatewayPolicy
from gateway.upstream import Upstream
from storage.database import Database
from storage.ledger import SqlLedger
from storage.writer import Writer

MODEL = "gpt-4o-mini"
MAX_OUTPUT_TOKENS = 100
PLENTY = NanoUsd(10**15)
SCOPES = ("user:local", "day:today", "task:bench", "subtask:bench")
"""From the top down; all of them have a cap."""

KEYS = ("sk-proj-not-a-secret-of-this-benchmark", "gsk_not-a-secret-of-this-benchmark-either")
"""Keys that are looked for in all that is sent."""

LINE = 'def test_{:03}() -> None: assert parsed("a, b\\n") == ["a", "b"]  # as the words of a file are\n'
"""A line of the files that the tools of a long conversation show."""


@contextlib.contextmanager
def fake_upstream() -> Iterator[str]:
    """The URL of a fake upstream in a process of its own."""
    program = Path(__file__).with_name("fake_upstream.py")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, program], stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


@contextlib.asynccontextmanager
async def ledger(path: Path) -> AsyncIterator[SqlLedger]:
    """A ledger with the usual scopes, each below the one before it, in a database file."""
    database = Database(path)
    await database.prepare()
    writer = Writer(database.writer)
    books = SqlLedger(writer)
    for above, scope in zip((None, *SCOPES), SCOPES, strict=False):
        await books.open(Scope(id=scope, parent=above, cap=PLENTY))
    try:
        yield books
    finally:
        await writer.close()
        await database.close()


@contextlib.asynccontextmanager
async def gateway(policy: GatewayPolicy | None = None, path: Path | None = None, **urls: str) -> AsyncIterator[Gateway]:
    """A gateway to providers by name, with a ledger in a file, or a new one on the disk."""
    upstreams = [upstream(name, url, policy or GatewayPolicy()) for name, url in urls.items()]
    with tempfile.TemporaryDirectory() as folder:
        async with ledger(path or Path(folder) / "ledger.db") as books:
            made = Gateway(upstreams, books, policy, redactor=Redactor(map(SecretStr, KEYS)))
            try:
                yield made
            finally:
                await made.settled()
                for each in upstreams:
                    await each.close()


def upstream(name: str, url: str, policy: GatewayPolicy) -> Upstream:
    """A provider that speaks OpenAI's format at an address."""
    key = ProviderKey(id="key", provider=name, secret=SecretStr("not-a-secret"))
    return Upstream(KeyRing(name, [key]), {"key": OpenAIProvider(Endpoint(name=name, base_url=url))}, policy)


def conversation(steps: int) -> tuple[Message, ...]:
    """What was said in so many steps of a task, each with a tool that shows a file of 4 KB."""
    task = "Mend the parser. " * 20
    said: list[Message] = [SystemMessage(content="You write code. " * 50), UserMessage(content=task)]
    for step in range(steps):
        shown = ToolCall(id=f"call_{step:05}", name="read_file", arguments=f'{{"path": "tests/test_{step}.py"}}')
        said.append(AssistantMessage(content="I look at what is tested. " * 4, tool_calls=(shown,)))
        said.append(ToolMessage(tool_call_id=shown.id, content="".join(map(LINE.format, range(39)))))
    return tuple(said)


def call(manner: str = "plain", number: int = 0, route: str = MODEL, before: tuple[Message, ...] = ()) -> Call:
    """A call that the upstream answers in a certain manner."""
    messages = (*before, UserMessage(content=f"{manner} {number}"))
    request = ModelRequest(model=route, messages=messages, max_output_tokens=MAX_OUTPUT_TOKENS)
    return Call(request=request, task_id=str(number), purpose="bench", scope=SCOPES[-1])


def bare(url: str) -> openai.AsyncOpenAI:
    """The SDK as it comes, but that it does not retry."""
    return openai.AsyncOpenAI(api_key="not-a-secret", base_url=url, max_retries=0)


def asked(before: tuple[Message, ...] = (), **more: Any) -> dict[str, Any]:
    """The same call for the SDK."""
    messages = [*map(to_wire, before), {"role": "user", "content": "plain 0"}]
    return {"model": MODEL, "messages": messages, "max_tokens": MAX_OUTPUT_TOKENS, **more}
