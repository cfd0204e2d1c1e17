"""Sources read in worker processes, hostile ones among them."""

import asyncio
import contextlib
import io
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ParserUnavailable
from mcp_server.code.languages import MAX_SOURCE_BYTES
from mcp_server.code.problems import broken_by, syntax_problems
from mcp_server.code.reading import tags
from mcp_server.parsers.messages import Request, read_request
from mcp_server.parsers.parsers import Parsers, decode_tags
from mcp_server.parsers.worker import MEMORY_BYTES, answer
from tests.mcp_server.code.outline import SAMPLES

GLUTTON = b"%q(" * 4000
"""As a Java file these 12 kB make its parser ask for gigabytes."""

SLUGGARD = b"[" * MAX_SOURCE_BYTES
"""As a Python file this takes a query more than a minute, in which nobody looks at the time."""

PYTHON = b"def f(): pass\n"


@pytest.fixture
async def parsers() -> AsyncIterator[Parsers]:
    async with Parsers() as opened:
        yield opened
    assert workers() == []


def workers() -> list[psutil.Process]:
    """The processes that this one has started and that have not ended."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie is one, too
            if "mcp_server.parsers.worker" in child.cmdline():
                found.append(child)
    return found


async def until(holds: Callable[[], object]) -> None:
    """Waits for something that other processes bring about."""
    while True:
        if holds():
            return
        await asyncio.sleep(0.001)


def names(reply: bytes | None) -> list[str]:
    """The names of the symbols in a reply."""
    found = decode_tags(reply)
    return [symbol.name for symbol in found.symbols] if found is not None else []


async def test_a_worker_answers_as_the_functions_do(parsers: Parsers) -> None:
    for sample in SAMPLES.values():
        source = sample.read_bytes()
        broken = source[:100] + b"(" + source[100:]
        assert await parsers.tags(sample.name, source) == tags(sample.name, source)
        assert await parsers.syntax_problems(sample.name, broken) == syntax_problems(sample.name, broken)
        assert await parsers.broken_by(sample.name, source, broken) == broken_by(sample.name, source, broken)
    assert len(workers()) == 1


async def test_no_language_of_ours_and_a_source_that_is_too_large_have_no_answer(parsers: Parsers) -> None:
    large = b"\n" * (MAX_SOURCE_BYTES + 1)

    assert await parsers.tags("a.txt", PYTHON) is None
    assert await parsers.tags("a.py", large) is None
    assert await parsers.syntax_problems("a.py", large) is None
    assert await parsers.broken_by("a.py", PYTHON, large) == ()
    assert await parsers.read([("a.py", large)]) == {0: None}


async def test_a_source_that_takes_all_memory_ends_a_worker_and_nothing_else(parsers: Parsers) -> None:
    assert await parsers.tags("A.java", GLUTTON) is None
    assert await parsers.broken_by("A.java", b"class A {}", GLUTTON) == ()
    assert await parsers.tags("a.py", PYTHON) == tags("a.py", PYTHON)


async def test_a_source_that_never_ends_is_ended(parsers: Parsers) -> None:
    assert await parsers.tags("a.py", SLUGGARD) is None
    assert await parsers.tags("a.py", PYTHON) == tags("a.py", PYTHON)


def test_the_kernel_ends_a_worker_when_a_request_has_used_its_time_and_not_when_it_waits() -> None:
    command = [sys.executable, "-P", "-m", "mcp_server.parsers.worker"]
    request = Request("tags", "a.py", (SLUGGARD,)).encode()
    done = subprocess.run(command, input=request, capture_output=True, check=False)
    idle = subprocess.run(command, input=b"", capture_output=True, check=False)

    assert done.returncode == -signal.SIGPROF
    assert idle.returncode == 0


async def test_of_many_files_all_are_read_but_those_that_end_their_worker(parsers: Parsers) -> None:
    files = [(f"{number}.py", f"def f{number}(): pass".encode()) for number in range(60)]
    for place in (0, 20, 21, 59):
        files[place] = ("A.java", GLUTTON)
    replies = await parsers.read(files)

    assert sorted(replies) == list(range(60))
    assert [number for number in replies if replies[number] is None] == [0, 20, 21, 59]
    assert all(names(replies[number]) == [f"f{number}"] for number in replies if replies[number] is not None)


async def test_large_amounts_are_shared_by_several_workers_of_which_one_is_kept(parsers: Parsers) -> None:
    files = [(f"{number}.py", PYTHON * 5_000) for number in range(40)]
    reading = asyncio.create_task(parsers.read(files))
    most = 0
    while not reading.done():
        most = max(most, len(workers()))
        await asyncio.sleep(0.005)
    assert len(await reading) == 40
    assert most > 1
    assert len(workers()) == 1


async def test_when_the_time_is_over_what_was_not_read_is_missing_and_the_next_request_is_answered() -> None:
    async with Parsers(reading_s=0.5) as parsers:
        assert await parsers.read([("slow.py", SLUGGARD), ("next.py", PYTHON)]) == {}
        assert await parsers.tags("next.py", PYTHON) == tags("next.py", PYTHON)


async def test_nothing_to_read_starts_no_worker(parsers: Parsers) -> None:
    assert await parsers.read([]) == {}
    assert workers() == []


async def test_several_ask_at_once_and_each_gets_its_own_answer(parsers: Parsers) -> None:
    sources = [f"def f{number}(): pass".encode() for number in range(20)]
    found = await asyncio.gather(*(parsers.tags("a.py", source) for source in sources))
    assert found == [tags("a.py", source) for source in sources]


async def test_a_request_that_is_cancelled_leaves_its_answer_to_nobody(parsers: Parsers) -> None:
    await parsers.tags("a.py", PYTHON)
    for pause in (0.0, 0.001, 0.01):
        asking = asyncio.create_task(parsers.tags("b.py", b"def wrong(): pass\n" * 5000))
        await asyncio.sleep(pause)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert await parsers.tags("a.py", PYTHON) == tags("a.py", PYTHON)


async def test_a_request_that_is_cancelled_while_its_worker_starts_leaves_no_process() -> None:
    async with Parsers() as parsers:
        asking = asyncio.create_task(parsers.tags("a.py", PYTHON))
        await until(workers)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert workers() == []


async def test_a_worker_that_died_at_rest_is_replaced(parsers: Parsers) -> None:
    await parsers.tags("a.py", PYTHON)
    for worker in workers():
        worker.send_signal(signal.SIGKILL)
    await until(lambda: not workers())
    assert await parsers.tags("a.py", PYTHON) == tags("a.py", PYTHON)


async def test_a_worker_has_limits_and_no_secrets(parsers: Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    await parsers.tags("a.py", PYTHON)
    (worker,) = workers()

    assert set(worker.environ()) <= {"PYTHONPATH", "LC_CTYPE"}
    assert worker.rlimit(psutil.RLIMIT_AS) == (MEMORY_BYTES, MEMORY_BYTES)
    assert worker.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert worker.rlimit(psutil.RLIMIT_CORE) == (0, 0)


async def test_modules_in_the_folder_that_we_are_called_from_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "tree_sitter.py", "mcp_server.py"):
        (tmp_path / name).write_text("raise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)
    async with Parsers() as parsers:
        assert await parsers.tags("a.py", PYTHON) == tags("a.py", PYTHON)


@pytest.mark.parametrize("program", ["/bin/false", "/bin/echo", "/does/not/exist"])
async def test_a_worker_that_cannot_be_started_is_an_error_at_once(
    program: str, monkeypatch: pytest.MonkeyPatch, parsers: Parsers
) -> None:
    monkeypatch.setattr(sys, "executable", program)

    with pytest.raises(ParserUnavailable):
        await parsers.tags("a.py", PYTHON)
    with pytest.raises(ParserUnavailable):
        await parsers.read([("a.py", PYTHON)] * 10)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize(
    "reply",
    [
        b"", b"null", b"{}", b"[]", b"[[],[],[]]", b"\xff", b"[" * 100_000, b"[[],{},{}", b'[[["a"]],{},{}]',
        b'[[["class","A","A",1,1,0]],{},{}]', b'[[["class","A","A",1,1,-1]],{},{}]', b'[[],{"a":"many"},{}]',
    ],
)  # fmt: skip
def test_a_reply_that_is_none_or_lies_about_parents_is_no_answer(reply: bytes) -> None:
    assert decode_tags(reply) is None


@settings(deadline=None)
@given(
    st.sampled_from(["tags", "problems", "broken"]),
    st.text(max_size=20),
    st.lists(st.binary(max_size=50), min_size=1, max_size=2),
)
def test_requests_arrive_as_they_were_sent(ask: str, path: str, sources: list[bytes]) -> None:
    request = Request(ask, path, tuple(sources))  # type: ignore[arg-type]  # a sampled word is any text to mypy
    stream = io.BytesIO(request.encode() * 2)

    assert [read_request(stream), read_request(stream), read_request(stream)] == [request, request, None]


def test_a_reply_is_json_and_null_where_nothing_can_be_said() -> None:
    assert json.loads(answer(Request("problems", "a.py", (PYTHON,)))) == []
    assert answer(Request("tags", "a.txt", (PYTHON,))) == b"null"
