"""What all adapters share: a client that is made for the first request, and one way to ask, to read and to fail."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from importlib import import_module
from typing import Any, ClassVar

from pydantic import ValidationError

from domain.chat import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import ModelTimeout, SoundstageError
from gateway.adapters.answer import Answer
from gateway.adapters.openai_wire import embedded
from gateway.adapters.statuses import Service
from gateway.base import Delta, Endpoint


class Adapter(ABC):
    """Sends requests with a provider's official SDK, its retries switched off.

    A further one says here what it is called, and in the methods below ``close`` what is special about it. What these
    return is plain JSON; where they fail because an answer is of another shape, that becomes a ModelProtocolError.
    """

    sdk: ClassVar[str]
    """The package of the SDK; nothing imports it before the first request."""

    http: ClassVar[str]
    """The package of the HTTP client in it."""

    key_variable: ClassVar[str] = ""
    url_variable: ClassVar[str] = ""
    path: ClassVar[str] = ""
    """The end of a base URL that is cut off, since each call brings it along."""

    announcement = ""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = Service(endpoint=endpoint, key_variable=self.key_variable, url_variable=self.url_variable)
        self._connected: Any = None

    @property
    def name(self) -> str:
        """The name in ledger entries and prices."""
        return self._service.endpoint.name

    @property
    def local(self) -> bool:
        """Whether the endpoint is."""
        return self._service.endpoint.local

    @property
    def _client(self) -> Any:
        if self._connected is None:
            endpoint = self._service.endpoint
            url = endpoint.base_url.rstrip("/").removesuffix(self.path)
            timeout = import_module(self.http).Timeout(endpoint.read_s, connect=endpoint.connect_s)
            self._connected = self._connect(url, endpoint.api_key.get_secret_value(), timeout)
        return self._connected

    @contextmanager
    def errors(self, model: str) -> Iterator[None]:
        """Turns what the SDK raises into errors of ours. ``model`` goes into the messages, the key never."""
        try:
            yield
        except Exception as error:
            self._service.clean(error)
            ours = None if isinstance(error, SoundstageError) else self._ours(error, model)
            if ours is None:
                raise
            raise ours from error

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply."""
        answer = Answer(request)
        with self._service.reading(), self.errors(request.model):
            found = await self._whole(request)
            self._heard(answer, found)
            return answer.reply()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas, then the whole reply. A stream that ends before the answer does raises ModelProtocolError."""
        answer = Answer(request)
        with self._service.reading(), self.errors(request.model):
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
                return embedded(request, found)

    async def models(self) -> list[str]:
        """The ids that the server lists."""
        with self._service.reading(), self.errors(""):
            return [name.strip() for name in await self._names()]

    async def close(self) -> None:
        """Closes the connections."""
        client, self._connected = self._connected, None
        if client is not None:
            await self._disconnect(client)

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
            case http.TimeoutException():
                return ModelTimeout()
            case json.JSONDecodeError() | UnicodeDecodeError():
                return self._service.malformed()
            case ValidationError() | UnicodeEncodeError():
                return self._service.unsendable(error)
            case http.HTTPError() | OSError():
                # Also of the SDKs that have a plain ConnectionError for a connection that was refused.
                return self._service.unreachable(error)
            case _:
                return None
