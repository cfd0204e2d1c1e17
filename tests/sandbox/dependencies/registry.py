"""A package index and a registry of this test's own, on a loopback port."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from typing import Any


class Registry:
    """Serves paths. ``answers`` maps a path to its content; ``asked`` are the paths that were asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def add_source(self, name: str, setup: str, **files: str) -> None:
        """A Python source package of version 1.0, whose ``setup.py`` is ``setup``."""
        self.add_file(name, f"{name}-1.0.tar.gz", source(name, setup, **files))

    def add_file(self, name: str, file: str, content: bytes) -> None:
        """A file of a Python package."""
        self.answers[f"/files/{file}"] = content
        self.add_page(name, f"{self.url}/files/{file}", file)

    def add_page(self, name: str, url: str, file: str) -> None:
        """A Python package's page in the index, with one link. Source: PEP 503."""
        self.answers[f"/simple/{name}/"] = (
            f'<!DOCTYPE html><html><body><a href="{url}">{file}</a></body></html>'.encode()
        )

    def add_npm(self, name: str, package: dict[str, Any], files: dict[str, str]) -> None:
        """A JavaScript package of version 1.0.0."""
        manifest = {"name": name, "version": "1.0.0", **package}
        tarball = packed("package", {"package.json": json.dumps(manifest), **files})
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
        dist = {"tarball": f"{self.url}/files/{name}.tgz", "integrity": integrity}
        known = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {**manifest, "dist": dist}}}
        self.answers[f"/{name}"] = json.dumps(known).encode()
        self.answers[f"/files/{name}.tgz"] = tarball


def source(name: str, setup: str, **files: str) -> bytes:
    """The archive of a Python source package."""
    return packed(f"{name}-1.0", {"setup.py": setup, f"{name}.py": "", **files})


def packed(folder: str, files: dict[str, str]) -> bytes:
    """A compressed tar archive of files in a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{path}")
            member.size = len(content.encode())
            member.mode = 0o755
            archive.addfile(member, io.BytesIO(content.encode()))
    return buffer.getvalue()


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    """A registry that serves until the context ends."""
    serving = Registry()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            serving.asked.append(self.path)
            content = serving.answers.get(self.path)
            kind = "text/html" if self.path.startswith("/simple/") else "application/json"
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield serving
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
