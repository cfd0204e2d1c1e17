"""The Docker engine and its containers, through docker-py; every call runs in a thread."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import docker
import docker.errors
import requests
import urllib3

from domain.base import Value
from domain.errors import EngineUnavailable, ImageMissing, InfrastructureError
from sandbox.uninterrupted import in_thread

T = TypeVar("T")
API_TIMEOUT_S = 60
CALLS_AT_ONCE = 16
DEFAULT_HOST = "unix:///var/run/docker.sock"
REMOVAL_S = 10.0
NEWS_S = 0.2
"""How long after the end of a process the engine may learn why it ended."""


class ContainerInfo(Value):
    """A container of ours as the engine lists it."""

    id: str
    name: str
    labels: dict[str, str]
    state: str


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turns docker-py's and its transport's exceptions into ours."""
    try:
        yield
    except docker.errors.ImageNotFound as error:
        ours = "No such image: soundstage-" in str(error.explanation)
        remedy = (
            "Build it with: soundstage images build" if ours else "Bring it to the engine: docker pull or docker load"
        )
        raise ImageMissing(f"The sandbox image is not there ({error.explanation}). {remedy}") from error
    except docker.errors.APIError as error:
        if "unknown or invalid runtime name" in str(error.explanation):
            raise InfrastructureError(
                f"The Docker engine lacks that isolation ({error.explanation}). Install gVisor (make gvisor), or use "
                "--isolation runc; soundstage doctor shows what is there."
            ) from error
        raise InfrastructureError(
            f"The Docker engine refused: {error.explanation or error}. Run: soundstage doctor"
        ) from error
    except (
        docker.errors.DockerException,
        docker.errors.StreamParseError,
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
    ) as error:
        raise EngineUnavailable(
            f"The Docker engine does not answer ({_short(error)}). Start it (make engine) or set DOCKER_HOST, "
            "then run it again."
        ) from error


def _short(error: BaseException) -> str:
    """The innermost cause, in a few words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    try:
        text = str(error).strip() or type(error).__name__
    except (TypeError, AttributeError):  # some of urllib3's cannot be shown
        text = type(error).__name__
    return text.splitlines()[0][:160]


class DockerEngine:
    """The calls that Soundstage makes of an engine. ``host`` is a DOCKER_HOST URL, or None for the default."""

    def __init__(self, host: str | None = None) -> None:
        self.host = host
        self._client: docker.APIClient | None = None
        self._connecting = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    async def _call(self, work: Callable[[docker.APIClient], T], undo: Callable[[T], object] = lambda _: None) -> T:
        def run() -> T:
            with engine_errors():
                return work(self._connected())

        if self._threads is None:
            self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="engine")
        return await in_thread(run, undo, self._threads)

    def _connected(self) -> docker.APIClient:
        with self._connecting:
            if self._client is None:
                self._client = connect(self.host, API_TIMEOUT_S, CALLS_AT_ONCE)
            return self._client

    async def version(self) -> str:
        """The engine's version."""
        return str((await self._call(lambda client: client.version()))["Version"])

    async def runtimes(self) -> tuple[str, ...]:
        """The names of the OCI runtimes that the engine knows."""
        return tuple((await self._call(lambda client: client.info())).get("Runtimes") or {})

    async def create(self, name: str, config: dict[str, Any]) -> str:
        """Creates a container from the body of the API's create call; returns its id. ImageMissing."""
        created = await self._call(lambda client: client.create_container_from_config(config, name))
        return str(created["Id"])

    async def attach(self, container: str) -> socket.socket:
        """A duplex socket to the stdio of a container that has not started, which has said nothing yet.

        Its output is in the engine's multiplexed stream format.
        """

        def attach(client: docker.APIClient) -> socket.socket:
            wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            return _own_socket(client.attach_socket(container, wanted))[0]

        return await self._call(attach, socket.socket.close)

    async def start(self, container: str) -> None:
        """Starts a created container."""
        await self._call(lambda client: client.start(container))

    async def exists(self, container: str) -> bool:
        """Whether the engine knows the container (still)."""

        def look(client: docker.APIClient) -> bool:
            try:
                client.inspect_container(container)
            except docker.errors.NotFound:
                return False
            return True

        return await self._call(look)

    async def execute(
        self, container: str, argv: Sequence[str], settings: dict[str, Any]
    ) -> tuple[str, tuple[socket.socket, bytes]]:
        """Starts a program in a running container: its id, a duplex socket to its stdio as of ``attach``, and what came
        of its output before that."""

        def execute(client: docker.APIClient) -> tuple[str, tuple[socket.socket, bytes]]:
            made = client.exec_create(container, list(argv), stdin=True, **settings)
            return made["Id"], _own_socket(client.exec_start(made["Id"], socket=True))

        return await self._call(execute, lambda result: result[1][0].close())

    async def exit_code(self, execution: str) -> int | None:
        """The exit code of a program that ``execute`` started; None while it runs."""
        seen = await self._call(lambda client: client.exec_inspect(execution))
        code = seen.get("ExitCode")
        return None if seen.get("Running") or code is None else int(code)

    async def memory(self) -> int:
        """The memory of the engine's machine, in bytes."""
        return int((await self._call(lambda client: client.info())).get("MemTotal") or 0)

    async def inspect(self, container: str) -> dict[str, Any]:
        """What the engine knows of a container. Source: Docker Engine API, "Inspect a container"."""
        return cast("dict[str, Any]", await self._call(lambda client: client.inspect_container(container)))

    async def remove(self, container: str) -> None:
        """Ends and removes a container, and waits until it is gone; one that is gone already is fine."""

        def remove(client: docker.APIClient) -> None:
            try:
                client.remove_container(container, v=True, force=True)
            except docker.errors.APIError as error:
                if error.status_code == 409:
                    # The engine is removing it by itself.
                    _await_removal(client, container)
                elif error.status_code != 404:
                    raise

        await self._call(remove)

    async def ran_out_of_memory(self, container: str, since: float) -> bool:
        """Whether the kernel ended a process of the container for want of memory after ``since`` (Unix seconds).

        Asks the engine's event history, which outlives the container.
        """

        def look(client: docker.APIClient) -> bool:
            wanted = {"container": container, "event": "oom"}
            # The engine takes fractions, the client's types do not know it. It answers when ``until`` has come.
            begin: Any = f"{since:.6f}"
            end: Any = f"{time.time() + NEWS_S:.6f}"
            return any(client.events(since=begin, until=end, filters=wanted, decode=True))

        return await self._call(look)

    async def containers(self, label: str) -> list[ContainerInfo]:
        """Every container, running or not, that carries the label."""
        found = await self._call(lambda client: client.containers(all=True, filters={"label": label}))
        return [
            ContainerInfo(
                id=item["Id"],
                name=(item["Names"] or ["?"])[0].lstrip("/"),
                labels=item["Labels"] or {},
                state=item["State"],
            )
            for item in found
        ]

    async def close(self) -> None:
        """Closes the connections to the engine."""
        if self._client is not None:
            client, self._client = self._client, None
            await asyncio.to_thread(client.close)
        if self._threads is not None:
            threads, self._threads = self._threads, None
            threads.shutdown(wait=False)


def connect(host: str | None, timeout_s: int, calls_at_once: int = 1) -> docker.APIClient:
    """A client of the engine at that address, with so many connections at most; whoever called this closes it.

    Its exceptions, and those of this call, are docker-py's: see ``engine_errors``.
    """
    _knock(host)
    return docker.APIClient(base_url=host, version="auto", timeout=timeout_s, max_pool_size=calls_at_once)


def _knock(host: str | None) -> None:
    """OSError when nobody listens at a local socket: docker-py would leave the socket open that it tried that with."""
    scheme, _, path = (host or DEFAULT_HOST).partition("://")
    if scheme == "unix":
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(API_TIMEOUT_S)
            knocking.connect(path)


def _own_socket(attached: Any) -> tuple[socket.socket, bytes]:
    """A copy of a response's socket, which lives on when the response is closed, and what was read past the headers."""
    raw = cast("socket.socket", getattr(attached, "_sock", attached))
    own = raw.dup()
    own.setblocking(False)
    raw.settimeout(0)
    begun: bytes = attached._response.raw._fp.fp.peek()
    attached._response.close()
    return own, begun


def _await_removal(client: docker.APIClient, container: str) -> None:
    end = time.monotonic() + REMOVAL_S
    while time.monotonic() < end:
        try:
            client.inspect_container(container)
        except docker.errors.NotFound:
            return
        time.sleep(0.02)
