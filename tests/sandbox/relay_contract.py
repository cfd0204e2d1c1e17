"""What every sandbox promises about connections into and out of it."""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator

import pytest

from domain.command import CommandResult
from domain.errors import TransferFailed
from sandbox.base import ByteStream
from sandbox.relay import Connection
from tests.sandbox.contract import Leased, assert_usable, output, python

MIB = 1 << 20
TRIES = 50
CONNECT = """
import hashlib, socket, sys, threading, time
def connect():
    while True:
        try: return socket.create_connection(('127.0.0.1', {port}))
        except ConnectionRefusedError: time.sleep(0.01)
def read_all(c):
    return b''.join(iter(lambda: c.recv(1 << 16), b''))
"""


def free_port() -> int:
    """A port that nobody listens on; the fake shares this machine's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def read_all(stream: ByteStream) -> bytes:
    """All bytes to the end."""
    parts = []
    while data := await stream.read():
        parts.append(data)
    return b"".join(parts)


async def echo(stream: ByteStream) -> None:
    """Gives back what comes, and closes."""
    while data := await stream.read():
        await stream.write(data)
    await stream.close()


@contextlib.asynccontextmanager
async def echoing(leased: Leased, port: int) -> AsyncIterator[None]:
    """An echo server at a port of the sandbox."""

    async def serve() -> None:
        async with leased.sandbox.listen(port) as connections, asyncio.TaskGroup() as group:
            async for stream in connections:
                group.create_task(echo(stream))

    serving = asyncio.create_task(serve())
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.wait([serving])


class ListenContract:
    """Connections that programs of the sandbox make."""

    async def test_many_connections_at_once_each_get_their_own_bytes(self, leased: Leased) -> None:
        port = free_port()
        script = CONNECT + (
            "def talk(n):\n"
            "    c = connect(); data = bytes([n]) * 200_000\n"
            "    threading.Thread(target=lambda: (c.sendall(data), c.shutdown(1))).start()\n"
            "    assert read_all(c) == data; done.append(n)\n"
            "done = []\n"
            "threads = [threading.Thread(target=talk, args=(n,)) for n in range(20)]\n"
            "[t.start() for t in threads]; [t.join() for t in threads]; print(sorted(done) == list(range(20)))"
        )
        async with echoing(leased, port):
            result = await leased.sandbox.run(python(script.format(port=port)))

        assert result.stdout == b"True\n", result

    async def test_large_transfers_arrive_unchanged_in_both_directions_at_once(self, leased: Leased) -> None:
        port = free_port()
        script = CONNECT + (
            "c = connect(); block = bytes(range(256)) * 4096; sent = hashlib.sha256(); got = hashlib.sha256()\n"
            "def send():\n"
            "    for n in range(24): c.sendall(block[n:] + block[:n]); sent.update(block[n:] + block[:n])\n"
            "    c.shutdown(1)\n"
            "t = threading.Thread(target=send); t.start()\n"
            "for part in iter(lambda: c.recv(1 << 16), b''): got.update(part)\n"
            "t.join(); print(sent.hexdigest(), got.hexdigest())"
        )
        async with echoing(leased, port):
            result = await leased.sandbox.run(python(script.format(port=port)))

        sent, got = result.stdout.split()
        block = bytes(range(256)) * 4096
        whole = hashlib.sha256(b"".join(block[n:] + block[:n] for n in range(24)))
        assert sent.decode() == got.decode() == whole.hexdigest()

    @pytest.mark.parametrize("closes", [True, False], ids=["closed", "left"])
    async def test_a_program_that_has_said_all_still_hears_the_answer(self, leased: Leased, closes: bool) -> None:
        port = free_port()
        # It reads late and little at once: most of the answer is still under way when the host closes.
        script = CONNECT + (
            "c = socket.socket(); c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)\n"
            "c.connect(('127.0.0.1', {port})); c.sendall(b'question'); c.shutdown(1)\n"
            "time.sleep(0.5); print(len(read_all(c)))"
        )
        async with leased.sandbox.listen(port) as connections:
            running = asyncio.create_task(leased.sandbox.run(python(script.format(port=port))))
            stream = await anext(aiter(connections))
            question = await read_all(stream)
            await stream.write(b"x" * (3 * MIB))
            if closes:
                await stream.close()

        assert question == b"question"
        assert (await running).stdout == b"%d\n" % (3 * MIB)

    async def test_a_host_that_has_said_all_still_hears_the_program(self, leased: Leased) -> None:
        port = free_port()
        script = CONNECT + "c = connect(); n = len(read_all(c)); c.sendall(b'y' * n * 2); c.close()"
        async with leased.sandbox.listen(port) as connections:
            running = asyncio.create_task(leased.sandbox.run(python(script.format(port=port))))
            stream = await anext(aiter(connections))
            assert isinstance(stream, Connection)
            await stream.write(b"x" * MIB)
            await stream.end()
            answer = await read_all(stream)

        assert answer == b"y" * (2 * MIB)
        assert (await running).ok

    async def test_a_connection_that_nobody_reads_holds_up_nothing_else(self, leased: Leased) -> None:
        port = free_port()
        flood = CONNECT + "c = connect(); c.sendall(b'f' * (20 << 20)); c.close()"
        talk = CONNECT + "c = connect(); c.sendall(b'x' * 100_000); c.shutdown(1); print(len(read_all(c)))"
        async with leased.sandbox.listen(port) as connections:
            flooding = asyncio.create_task(leased.sandbox.run(python(flood.format(port=port))))
            unread = await anext(aiter(connections))
            await asyncio.sleep(0.3)
            talking = asyncio.create_task(leased.sandbox.run(python(talk.format(port=port))))
            await echo(await anext(aiter(connections)))

            assert (await talking).stdout == b"100000\n"
            assert len(await output(leased.sandbox, "seq 300000")) > 2 * 900_000
            assert not flooding.done()
            assert len(await read_all(unread)) == 20 * MIB
            assert (await flooding).ok

    async def test_a_program_that_does_not_read_holds_up_nothing_else(self, leased: Leased) -> None:
        port = free_port()
        script = CONNECT + "c = connect(); print('here', flush=True); sys.stdin.read(); print(len(read_all(c)))"
        go = asyncio.Event()

        async def until_then() -> AsyncIterator[bytes]:
            await go.wait()
            yield b""

        async with (
            leased.sandbox.listen(port) as connections,
            leased.sandbox.start(python(script.format(port=port)), until_then()) as running,
        ):
            stream = await anext(aiter(connections))
            writing = asyncio.create_task(stream.write(b"x" * (16 * MIB)))
            await asyncio.sleep(0.3)
            assert not writing.done()
            await assert_usable(leased.sandbox)
            go.set()
            await writing
            await stream.close()
            items = [item async for item in running.items()]

        assert isinstance(items[-1], CommandResult)
        assert items[-1].stdout == b"here\n%d\n" % (16 * MIB)

    async def test_a_hundred_and_twenty_eight_connections_are_made_and_the_next_ones_are_closed(
        self, leased: Leased
    ) -> None:
        port = free_port()
        script = CONNECT + (
            "cs = [connect() for _ in range(131)]; closed = 0\n"
            "for c in cs: c.settimeout(60)\n"
            "for c in cs[128:]: closed += c.recv(1) == b''\n"
            "for c in cs[:128]: c.sendall(b'x'); assert c.recv(1) == b'x'\n"
            "print(closed)"
        )
        async with echoing(leased, port):
            result = await leased.sandbox.run(python(script.format(port=port)))
            # The ends of the first ones are on their way for a moment.
            for _ in range(TRIES):
                again = await leased.sandbox.run(python(script.format(port=port)))
                if again.ok:
                    break

        assert (result.stdout, again.stdout) == (b"3\n", b"3\n"), result

    async def test_when_listening_ends_every_connection_does_and_the_port_is_free(self, leased: Leased) -> None:
        port = free_port()
        script = CONNECT + (
            "def end(c):\n"
            "    try: return c.recv(1)\n"
            "    except ConnectionResetError: return b''\n"
            "cs = [connect() for _ in range(5)]; print('here', flush=True); print([end(c) for c in cs])"
        )
        for _ in range(2):
            async with leased.sandbox.start(python(script.format(port=port))) as running:
                items = running.items()
                async with leased.sandbox.listen(port) as connections:
                    # The others are never taken over.
                    await anext(aiter(connections))
                    await anext(items)
                *_, result = [item async for item in items]

            assert isinstance(result, CommandResult)
            assert result.stdout == b"here\n[b'', b'', b'', b'', b'']\n"

    async def test_writing_to_a_program_that_has_gone_fails_and_does_not_wait_for_ever(self, leased: Leased) -> None:
        port = free_port()
        async with leased.sandbox.listen(port) as connections:
            running = asyncio.create_task(leased.sandbox.run(python((CONNECT + "connect().close()").format(port=port))))
            stream = await anext(aiter(connections))
            await running
            assert await stream.read() == b""

            with pytest.raises(TransferFailed, match="closed the connection"):
                async with asyncio.timeout(60):
                    await stream.write(b"x" * (32 * MIB))
            await stream.close()
        await assert_usable(leased.sandbox)

    async def test_a_port_that_is_taken_or_is_none_is_an_error_that_names_it(self, leased: Leased) -> None:
        port = free_port()
        async with leased.sandbox.listen(port):
            for wrong in (port, 70_000, -1):
                with pytest.raises(TransferFailed, match=f"port {wrong}"):
                    async with leased.sandbox.listen(wrong):
                        raise AssertionError("listens")
        await assert_usable(leased.sandbox)


SERVE = """
import socket
with socket.create_server(('127.0.0.1', {port})) as server:
    print('listens', flush=True)
    while True:
        c, _ = server.accept()
        while data := c.recv(1 << 16): c.sendall(data)
        c.close()
"""


class ConnectContract:
    """Connections that the host makes."""

    async def test_the_host_talks_to_a_server_in_the_sandbox(self, leased: Leased) -> None:
        port = free_port()
        async with leased.sandbox.start(python(SERVE.format(port=port))) as serving:
            await anext(serving.items())
            for size in (1, 5 * MIB):
                stream = await leased.sandbox.connect(port)
                assert isinstance(stream, Connection)
                writing = asyncio.create_task(stream.write(b"x" * size))
                got = 0
                while got < size:
                    got += len(await stream.read())
                await writing
                await stream.end()
                assert await read_all(stream) == b""
                await stream.close()

        assert got == size

    async def test_a_port_where_nobody_listens_is_an_error_that_names_it(self, leased: Leased) -> None:
        for port in (free_port(), 70_000, 0, -1):
            with pytest.raises(TransferFailed, match=f"port {port} "):
                await leased.sandbox.connect(port)
        await assert_usable(leased.sandbox)

    async def test_a_connect_cancelled_at_any_moment_leaves_the_next_one_a_clear_way(self, leased: Leased) -> None:
        port = free_port()
        async with leased.sandbox.start(python(SERVE.format(port=port))) as serving:
            await anext(serving.items())
            for turns in range(12):
                connecting = asyncio.create_task(leased.sandbox.connect(port))
                for _ in range(turns):
                    await asyncio.sleep(0)
                connecting.cancel()
                await asyncio.wait([connecting])
                if not connecting.cancelled():
                    await connecting.result().close()
            # The server serves one after the other: whoever is still connected would be in the way.
            async with asyncio.timeout(60):
                stream = await leased.sandbox.connect(port)
                await stream.write(b"here")
                assert await stream.read() == b"here"
                await stream.close()
