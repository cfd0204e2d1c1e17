"""What all adapters share: a client that is made for the first request, and one way to ask, to read and to fail."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from importlib import import_module
from math import ceil
from typing import Any, ClassVar

from pydantic import ValidationError

from domain.answer import Answer
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest, Usage
from domain.errors import SoundstageError
from domain.tokens import BYTES_PER_TOKEN
from gateway.adapters.openai_wire import usage_of
from gateway.adapters.statuses import Service
from gateway.base import Endpoint

CLIENTS, CALLS_OF_A_CLIENT = 8, 3
"""A client looks at each of its idle connections whenever it needs one: many calls at a time share several clients."""
PLACE: ContextVar[int] = ContextVar("place", default=0)
LISTING_S = 30.0
"""How long a list of models may take."""


class Adapter(ABC):
    """Sends requests with a provider's official SDK, its retries switched off.

    ``sdk`` and ``http`` are the packages of the SDK and of its HTTP client, which nothing imports before the first
    request; ``path`` is what a base URL may end with though each call brings it along. What is special of a provider
    stands in the methods below ``close``: they give plain JSON, and JSON of another shape is a ModelProtocolError.
    """

    sdk: ClassVar[str]
    http: ClassVar[str]
    key_variable: ClassVar[str] = ""
    url_variable: ClassVar[str] = ""
    path: ClassVar[str] = ""
    announcement = ""
    streams_schemas = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = Service(endpoint=endpoint, key_variable=self.key_variable, url_variable=self.url_variable)
        self.name, self.local = endpoint.name, endpoint.local
        self._clients: dict[int, Any] = {}
        self._calls = [0] * CLIENTS

    @contextmanager
    def _seated(self) -> Iterator[None]:
        """Chooses the client of a call: the first one with room, else the one with the fewest calls."""
        place = min(range(CLIENTS), key=lambda at: max(self._calls[at], CALLS_OF_A_CLIENT - 1))
        PLACE.set(place)
        self._calls[place] += 1
        try:
            yield
        finally:
            self._calls[place] -= 1

    @property
    def _client(self) -> Any:
        if (place := PLACE.get()) not in self._clients:
            endpoint = self._service.endpoint
            url = endpoint.base_url.rstrip("/").removesuffix(self.path)
            timeout = import_module(self.http).Timeout(endpoint.read_s, connect=endpoint.connect_s)
            self._clients[place] = self._connect(url, endpoint.api_key.get_secret_value(), timeout)
        return self._clients[place]

    @contextmanager
    def errors(self, model: str) -> Iterator[None]:
        """Turns what the SDK raises into errors of ours. ``model`` goes into the messages, the key never."""
        try:
            yield
        except Exception as error:  # also what no SDK lists is cleaned of the key before it is raised on
            self._service.clean(error)
            ours = None if isinstance(error, SoundstageError) else self._ours(error, model)
            if ours is None:
                raise
            raise ours from error

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply."""
        answer = Answer(request)
        with self._seated(), self._service.reading(), self.errors(request.model):
            self._heard(answer, await self._whole(request))
            return answer.reply()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas, then the whole reply. A stream that ends before the answer does raises ModelProtocolError."""
        answer = Answer(request)
        with self._seated(), self._service.reading(), self.errors(request.model):
            async with aclosing(self._pieces(request)) as pieces:
                async for piece in pieces:
                    yield self._heard(answer, piece)
            reply = answer.reply()
        yield reply

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """A vector for each text. ContextTooLong for a text that is longer than the model takes."""
        with self._service.reading(), self.errors(request.model):
            found = await self._vectors(request)
            with self._service.reading():
                self._check(found)
                return _embedded(request, found)

    async def models(self) -> list[str]:
        """The ids that the server lists. ModelTimeout after a while that is shorter than that of an answer."""
        with self._service.reading(), self.errors(""):
            async with asyncio.timeout(LISTING_S):
                return [name.strip() for name in await self._names()]

    async def close(self) -> None:
        """Closes the connections."""
        while self._clients:
            await self._disconnect(self._clients.popitem()[1])

    def _heard(self, answer: Answer, found: Any) -> Delta:
        with self._service.reading():
            self._check(found)
            return self._take(answer, found)

    @abstractmethod
    def _connect(self, url: str, key: str, timeout: Any) -> Any:
        """A client of the SDK."""

    async def _disconnect(self, client: Any) -> None:
        await client.close()

    @abstractmethod
    async def _whole(self, request: ModelRequest) -> Any:
        """The answer in one piece."""

    @abstractmethod
    def _pieces(self, request: ModelRequest) -> AsyncGenerator[Any]:
        """The answer in pieces."""

    @abstractmethod
    async def _vectors(self, request: EmbeddingRequest) -> Any:
        """The vectors, in the form of OpenAI's answer."""

    @abstractmethod
    async def _names(self) -> list[str]:
        """The ids of the models."""

    def _check(self, found: Any) -> None:
        """Raises the error that came in the place of an answer."""
        if error := found.get("error"):
            raise self._service.reported(str(error))

    @abstractmethod
    def _take(self, answer: Answer, found: Any) -> Delta:
        """Takes an answer, or a piece of it, in; returns what of it can be shown."""

    def _ours(self, error: Exception, model: str) -> SoundstageError | None:
        """Our error for one that an SDK raises or lets through; None for a bug."""
        http = import_module(self.http)
        match error:
            case json.JSONDecodeError() | UnicodeDecodeError():
                return self._service.malformed()
            case ValidationError() | UnicodeEncodeError():
                return self._service.unsendable(error)
            case http.HTTPError() | OSError():
                # Also of the SDKs that have a plain ConnectionError for a connection that was refused.
                return self._service.unreachable(error)
            case _:
                return None


def _embedded(request: EmbeddingRequest, found: Any) -> EmbeddingReply:
    """The vectors of an answer in OpenAI's form, in the order of the texts."""
    placed = {item["index"]: item["embedding"] for item in found["data"]}
    vectors = tuple(placed[place] for place in range(len(request.texts)))
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("vectors of different lengths")
    size = sum(len(text.encode()) for text in request.texts)
    usage = usage_of(found.get("usage")) or Usage(input_tokens=ceil(size / BYTES_PER_TOKEN), estimated=True)
    return EmbeddingReply(vectors=vectors, usage=usage)
