"""A real HTTP server that gives away what it is told: it answers with an error that holds the caller's key.

The key stands in the status line, in headers and in the body, in every form that a server or a proxy might log it in.
"""

import base64
import contextlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS = {"object": "list", "data": [{"id": "echo", "object": "model", "created": 1, "owned_by": "test"}]}


def forms(key: str) -> list[str]:
    """A key as it is, in base64 with different neighbours, for URLs and for JSON."""
    encoded = [base64.b64encode(f"{before}{key}{after}".encode()) for before in ("", "a", "ab") for after in ("", "z")]
    encoded += [base64.urlsafe_b64encode(f"u:{key}".encode())]
    return [key, *(one.decode() for one in encoded), urllib.parse.quote(key, safe=""), json.dumps(json.dumps(key))]


class EchoServer:
    """``status`` is what chats are answered with, ``listing`` what a question for the models is."""

    def __init__(self, status: int, listing: int) -> None:
        self.status = status
        self.listing = listing
        self.url = ""
        self.keys: list[str] = []
        self.bodies: list[str] = []


@contextlib.contextmanager
def echoing(status: int = 401, listing: int = 200) -> Iterator[EchoServer]:
    """The server, in threads of its own."""
    told = EchoServer(status, listing)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if told.listing == 200:
                self._send(200, MODELS)
            else:
                self._echo(told.listing)

        def do_POST(self) -> None:
            told.bodies.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self._echo(told.status)

        def _echo(self, status: int) -> None:
            key = self.headers["authorization"].removeprefix("Bearer ")
            told.keys.append(key)
            # One message for each form, so that each of them stands where a message is cut off.
            shown = forms(key)
            message = f"{'.' * 280}{key} " + " ".join(shown)
            detail = {"message": message, "type": key, "param": key, "code": key, "forms": shown}
            self._send(status, {"error": detail, "key": key}, key)

        def _send(self, status: int, body: Any, key: str = "") -> None:
            payload = json.dumps(body).encode()
            self.send_response(status, f"Key {key}")
            for name, value in (("Retry-After", "0"), ("X-Request-Id", key), ("WWW-Authenticate", f"Bearer {key}")):
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gave it
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, name="echo-server", kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
