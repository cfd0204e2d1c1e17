"""HTTP for whoever connects: heads of requests end at a size, and in time."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
MOST_CONNECTIONS = 500
"""Whoever comes beyond that is not listened to: a process has so many descriptors, and needs some itself."""

HEAD_S = 20.0
"""How long a client may take for the head of a request, the first one from when it connects."""


class BoundedProtocol(HttpToolsProtocol):
    """The server's protocol, which by itself would gather a head that never ends, for as long as it takes."""

    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the base has it
        """Somebody connected."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._expect_head()

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or of several."""
        if self._timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._timer is not None and self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request ends at {MOST_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        """The first bytes of a request have come."""
        super().on_message_begin()
        if self._timer is None:
            self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. The parser leaves white space after the value, which is no part of it (RFC 9110, section 5.5)."""
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client, or we, hung up."""
        self._stop()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._timer = asyncio.get_running_loop().call_later(HEAD_S, self._too_late)

    def _too_late(self) -> None:
        self._timer = None
        self.transport.close()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
