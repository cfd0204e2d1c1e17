"""What is left of a recording: which exchange answers a request."""

import collections
from pathlib import Path

from app.cassettes.cassette import Cassette, Embedding, Talk
from app.cassettes.request_form import Form, alike, difference, form_of
from domain.chat import EmbeddingRequest, ModelRequest
from domain.errors import NotRecorded
from domain.text import one_line


class Playback:
    """A recording, for all of its providers. Equal requests get their replies in the order in which they were given.

    A request is found by its form, see ``request_form``, first among those that were made of the same model. Whom a
    gateway asks depends on the time, too: so the reply of another model is as good where there is no such one.
    """

    def __init__(self, path: Path, cassette: Cassette) -> None:
        self.path = path
        self.providers = tuple(cassette.head.providers)
        self.exchanges = cassette.exchanges
        self._forms = [form_of(exchange.request) for exchange in self.exchanges]
        self._left: dict[Form, list[Talk | Embedding]] = collections.defaultdict(list)
        for form, exchange in zip(self._forms, self.exchanges, strict=True):
            self._left[_of_any_model(form)].append(exchange)

    def take(self, provider: str, request: ModelRequest | EmbeddingRequest) -> Talk | Embedding:
        """The next exchange for a request. NotRecorded."""
        form = form_of(request)
        left = self._left[_of_any_model(form)]
        same = [one for one in left if (one.provider, one.request.model) == (provider, request.model)]
        if found := same or [one for one in left if one.reply is not None]:
            left.remove(found[0])
            return found[0]
        raise NotRecorded(f"{self._unknown(request, form)} Record it anew with --record.")

    def _unknown(self, request: ModelRequest | EmbeddingRequest, form: Form) -> str:
        asked = f"The replay met a request that {self.path} has no answer to ({_described(request)})."
        if not self.exchanges:
            return f"{asked} Nothing at all was recorded."
        if times := self._forms.count(form):
            return f"{asked} It was recorded {times} times, and now it came once more."
        number = max(range(len(self._forms)), key=lambda at: alike(self._forms[at], form))
        nearest = f"exchange {number + 1} ({_described(self.exchanges[number].request)})"
        return f"{asked} The nearest is {nearest}. They differ first in {difference(self._forms[number], form)}."


def _of_any_model(form: Form) -> Form:
    return tuple(leaf for leaf in form if leaf[0] != "model")


def _described(request: ModelRequest | EmbeddingRequest) -> str:
    if isinstance(request, EmbeddingRequest):
        return f"to {request.model}: {len(request.texts)} texts to embed"
    said = request.messages[-1].content if request.messages else ""
    return f"to {request.model}: {len(request.messages)} messages, the last one {one_line(said, 60)!r}"
