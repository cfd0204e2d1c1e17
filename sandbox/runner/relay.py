"""Connections between programs of the sandbox and the host, carried over the runner's stdio.

The sandbox has no network but its own loopback interface. A ``Listener`` waits there for connections and hands each
of them to the host; a ``Connection`` may also be made by the host, to a port that a program of the sandbox listens on.
"""

import contextlib
import errno
import json
import os
import socket
from collections.abc import Callable

from . import frames
from .hub import READ, WRITE, Activity, Hub

CHUNK = 1 << 16
MOST_CONNECTIONS = 128
LOOPBACK = "127.0.0.1"


class Connection(Activity):
    """One socket, whose bytes travel in frames under ``number``. It ends when both directions have.

    ``origin`` is the number of the listener that it came of.
    """

    def __init__(
        self, number: int, connected: socket.socket, hub: Hub, ended: Callable[[Activity], None], origin: int = 0
    ) -> None:
        self.number, self.origin = number, origin
        self._socket, self._hub, self._ended = connected, hub, ended
        self._output = bytearray()
        self._window = frames.WINDOW
        self._reads, self._writes = True, True
        self._last = False
        connected.setblocking(False)
        self._watch()

    def _watch(self) -> None:
        events = (READ if self._reads and self._window > 0 else 0) | (WRITE if self._output else 0)
        self._hub.watch(self._socket.fileno(), events, self._on_event)

    def _on_event(self, _fd: int) -> None:
        if self._output:
            self._flush()
        if self._reads and self._window > 0:
            self._read()
        self._settle()

    def _read(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
            self._writes = False
        if data:
            self._hub.send(frames.BYTES, self.number, data)
            self._window -= frames.cost(data)
        else:
            self._reads = False
            self._hub.send(frames.ENDED, self.number)

    def fed(self, payload: bytes, last: bool) -> None:
        """Takes bytes for the socket; ``last`` says that no more will come."""
        self._output += payload
        self._last = self._last or last
        self._flush()
        self._settle()

    def _flush(self) -> None:
        taken = 0
        try:
            while self._output and self._writes:
                sent = self._socket.send(memoryview(self._output)[:CHUNK])
                del self._output[:sent]
                taken += sent
        except BlockingIOError:
            pass
        except OSError:
            self._writes = False
        if not self._writes:
            taken += len(self._output)
            self._output.clear()
        elif self._last and not self._output:
            self._writes = False
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        if taken:
            self._hub.send(frames.CREDIT, self.number, taken.to_bytes(4, "big"))

    def granted(self, size: int) -> None:
        """The host has taken so much."""
        self._window += size
        self._watch()

    def _settle(self) -> None:
        if self._reads or self._writes:
            self._watch()
        else:
            self.close()

    def cancel(self) -> None:
        """Reads no more, and ends when what was handed over has been passed on."""
        self._reads = False
        self.fed(b"", last=True)

    def close(self) -> None:
        """Ends both directions at once."""
        if self._socket.fileno() >= 0:
            self._hub.forget(self._socket.fileno())
            self._socket.close()
            self._ended(self)
            self._hub.send(frames.RESULT, self.number, b"{}")


class Listener(Activity):
    """Waits for connections on a loopback port.

    ``adopt`` takes each of them, and says which number it has; ``ended`` is told of the end.
    """

    def __init__(
        self,
        number: int,
        port: int,
        hub: Hub,
        adopt: Callable[[socket.socket, int], int | None],
        ended: Callable[[Activity], None],
    ) -> None:
        self.number = number
        self._hub, self._adopt, self._ended = hub, adopt, ended
        self._socket = socket.create_server((LOOPBACK, port), backlog=MOST_CONNECTIONS)
        self._socket.setblocking(False)
        hub.watch(self._socket.fileno(), READ, self._on_connection)

    def _on_connection(self, _fd: int) -> None:
        with contextlib.suppress(OSError):
            connected, _ = self._socket.accept()
            number = self._adopt(connected, self.number)
            if number is None:
                connected.close()
            else:
                self._hub.send(frames.OPENED, self.number, number.to_bytes(4, "big"))

    def cancel(self) -> None:
        """Listens no longer."""
        self._hub.forget(self._socket.fileno())
        self._socket.close()
        self._hub.send(frames.RESULT, self.number, b"{}")
        self._ended(self)


class Dialing(Activity):
    """A connection that the host wants, to a port of the sandbox, until it is made or refused.

    ``adopt`` takes it over; ``ended`` is told when there is none to take.
    """

    def __init__(
        self,
        number: int,
        port: int,
        hub: Hub,
        adopt: Callable[[socket.socket], None],
        ended: Callable[[Activity], None],
    ) -> None:
        self.number = number
        self._hub, self._adopt, self._ended = hub, adopt, ended
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        # A refusal is told at once, and only here.
        self._trouble = self._socket.connect_ex((LOOPBACK, port))
        hub.watch(self._socket.fileno(), WRITE, self._on_answer)

    def _on_answer(self, _fd: int) -> None:
        self._hub.forget(self._socket.fileno())
        known = 0 if self._trouble == errno.EINPROGRESS else self._trouble
        if trouble := known or self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._refuse(os.strerror(trouble))
            return
        self._hub.send(frames.OPENED, self.number, self.number.to_bytes(4, "big"))
        self._adopt(self._socket)

    def _refuse(self, why: str) -> None:
        self._socket.close()
        self._ended(self)
        self._hub.send(frames.RESULT, self.number, json.dumps({"error": why}).encode())

    def cancel(self) -> None:
        """Gives up."""
        self._hub.forget(self._socket.fileno())
        self._refuse("given up")
