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

from domain.chat import ModelRequest, UserMessage
from domain.ledger import Scope
from domain.money import NanoUsd
from domain.secrets import ProviderKey
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Call, Endpoint
from gateway.gateway import Gateway
from gateway.keys import KeyRing
from gateway.policy import GatewayPolicy
from gateway.upstream import Upstream
from storage.database import Database
from storage.ledger import SqlLedger
from storage.writer import Writer

MODEL = "gpt-4o-mini"
PLENTY = NanoUsd(10**15)
SCOPES = ("user:local", "day:today", "task:bench", "subtask:bench")
"""From the top down; all of them have a cap."""


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
            made = Gateway(upstreams, books, policy)
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


def call(manner: str = "plain", number: int = 0, route: str = MODEL) -> Call:
    """A call that the upstream answers in a certain manner."""
    messages = (UserMessage(content=f"{manner} {number}"),)
    request = ModelRequest(model=route, messages=messages, max_output_tokens=100)
    return Call(request=request, task_id=str(number), purpose="bench", scope=SCOPES[-1])


def bare(url: str) -> openai.AsyncOpenAI:
    """The SDK as it comes, but that it does not retry."""
    return openai.AsyncOpenAI(api_key="not-a-secret", base_url=url, max_retries=0)


def asked(number: int = 0, **more: Any) -> dict[str, Any]:
    """The same call for the SDK."""
    return {
        "model": MODEL, "messages": [{"role": "user", "content": f"plain {number}"}], "max_tokens": 100, **more,
    }  # fmt: skip
