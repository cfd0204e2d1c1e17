"""A provider for benchmarks: quick, and exact about what it served. Run it as a program; it prints its URL.

A bare ``asyncio.Protocol``, so that it costs little beside what is measured. A prompt is a word and the number of the
call: ``plain`` is answered, and to ``chaos`` whatever may happen happens. Below ``/mute`` nothing is ever answered. The
usage follows from the number, so that every answer can be told from every other. ``GET /v1/stats`` says what came and
was answered in full, by number.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from typing import Any

PIECES = 20
TEXT = "word "
SEED = 7
HEAD = "HTTP/1.1 {} X\r\nContent-Type: {}\r\n{}\r\n"


def usage_of(number: int) -> dict[str, Any]:
    """The usage that an answer to the call of that number has: with and without input from the cache, and to it."""
    cache = {"cached_tokens": number % 4 * 20, "cache_write_tokens": number % 3 * 20}
    tokens = {"prompt_tokens": 100 + number, "completion_tokens": PIECES, "total_tokens": 100 + number + PIECES}
    return {**tokens, "prompt_tokens_details": cache}


class Books:
    """What came, and what was answered in full, by number."""

    def __init__(self) -> None:
        self.came: Counter[int] = Counter()
        self.served: Counter[int] = Counter()
        self.random = random.Random(SEED)


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each whole request."""
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        if len(rest) < length:
            return
        self._received = rest[length:]
        if head.startswith(b"GET"):
            self._send("200", json.dumps({"came": self._books.came, "served": self._books.served}).encode())
        elif not head.startswith(b"POST /mute/"):
            self._answer(json.loads(rest[:length]))

    def _answer(self, body: dict[str, Any]) -> None:
        manner, word = body["messages"][-1]["content"].split()
        number = int(word)
        self._books.came[number] += 1
        if manner == "chaos" and self._trouble(number, body):
            return
        self._books.served[number] += 1
        if body.get("stream"):
            self._stream(number)
        else:
            self._send("200", json.dumps(whole(number)).encode())

    def _trouble(self, number: int, body: dict[str, Any]) -> bool:
        """Makes trouble, in a third of all cases."""
        match self._books.random.randrange(21):
            case 0:
                self._transport.abort()
            case 1:
                self._send("500", b'{"error": {"message": "trouble"}}')
            case 2:
                self._send("429", b'{"error": {"message": "slow down"}}', "Retry-After: 0\r\n")
            case 3:
                return True
            case 4:
                self._send("200", b"{ no JSON")
            case 5:
                # It is answered and charged for, and nobody hears of it.
                self._books.served[number] += 1
                self._transport.abort()
            case 6 | 7 if body.get("stream"):
                self._transport.write(HEAD.format("200", "text/event-stream", "").encode() + piece(TEXT) * 3)
                self._transport.abort()
            case _:
                return False
        return True

    def _send(self, status: str, body: bytes, headers: str = "") -> None:
        head = HEAD.format(status, "application/json", f"{headers}Content-Length: {len(body)}\r\n")
        self._transport.write(head.encode() + body)

    def _stream(self, number: int) -> None:
        end = chunk({}, finish="stop") + chunk(None, usage=usage_of(number)) + b"data: [DONE]\n\n"
        body = piece(TEXT) * PIECES + end
        head = HEAD.format("200", "text/event-stream", f"Content-Length: {len(body)}\r\n")
        self._transport.write(head.encode() + body)


def whole(number: int) -> dict[str, Any]:
    """The answer in one piece."""
    message = {"role": "assistant", "content": TEXT * PIECES}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    about = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "plain"}
    return {**about, "choices": choices, "usage": usage_of(number)}


def chunk(delta: dict[str, Any] | None, finish: str | None = None, usage: dict[str, Any] | None = None) -> bytes:
    """One event of a streamed answer."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    about = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "plain"}
    return f"data: {json.dumps({**about, 'choices': choices, 'usage': usage})}\n\n".encode()


def piece(text: str) -> bytes:
    """A piece of the text."""
    return chunk({"content": text})


async def serve() -> None:
    """Serves until its input ends."""
    books = Books()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(books), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
