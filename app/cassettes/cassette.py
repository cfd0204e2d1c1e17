"""A cassette: a file with what was said between us and providers of models, one exchange a line, in JSON.

The first line tells the version of the format, the route, and the providers. Lines are only ever added.
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

import domain.errors
from domain.base import Value
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import InvalidRecording, ModelUnavailable, OutputRefused, SoundstageError
from domain.text import one_line

VERSION = 2
"""1 had one provider, whose name stands in the first line, and exchanges that do not tell what kind they are."""


class Fault(Value):
    """An error that a provider raised: the name of its class, and what it said."""

    kind: str
    message: str
    retry_after_s: float | None = None

    @staticmethod
    def of(error: SoundstageError) -> "Fault":
        """The error, to be written down."""
        return Fault(kind=type(error).__name__, message=str(error), retry_after_s=getattr(error, "retry_after_s", None))

    def restored(self) -> SoundstageError:
        """The error, as it was raised."""
        kind = getattr(domain.errors, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, SoundstageError)):
            kind = ModelUnavailable
        made = kind(self.message)
        if self.retry_after_s is not None:
            vars(made)["retry_after_s"] = self.retry_after_s
        return made


class Talk(Value):
    """A request to a provider and what came of it: a reply or a fault. The numbers are seconds since the request."""

    kind: Literal["talk"] = "talk"
    provider: str
    request: ModelRequest
    pieces: tuple[tuple[float, Delta], ...] = ()
    reply: ModelReply | None = None
    fault: Fault | None = None
    seconds: float = 0.0


class Embedding(Value):
    """The same for texts that were to be embedded."""

    kind: Literal["embedding"] = "embedding"
    provider: str
    request: EmbeddingRequest
    reply: EmbeddingReply | None = None
    fault: Fault | None = None
    seconds: float = 0.0


Exchange = Annotated[Talk | Embedding, Field(discriminator="kind")]
EXCHANGE: TypeAdapter[Talk | Embedding] = TypeAdapter(Exchange)


class Head(Value):
    """The first line: the route that was taken, and the providers in their order with the number of their keys."""

    soundstage_cassette: Literal[2] = 2
    route: str
    providers: dict[str, Annotated[int, Field(gt=0)]]


class Cassette(Value):
    """What a file holds: its first line, and the exchanges in the order of their ends."""

    head: Head
    exchanges: tuple[Exchange, ...]


def begin(path: Path, head: Head) -> None:
    """Makes the file, readable for its owner only. OutputRefused where it is there already, or cannot be made."""
    _write(path, head.model_dump(mode="json"), os.O_CREAT | os.O_EXCL)


def add(path: Path, exchange: dict[str, Any]) -> None:
    """Adds an exchange in the form of JSON; it is on the disk when this returns. OutputRefused."""
    _write(path, exchange, os.O_APPEND)


def read(path: Path) -> Cassette:
    """The cassette in a file; a last line that a crash tore is left out. InvalidRecording."""
    try:
        first, *lines = path.read_bytes().split(b"\n")
        version = int(json.loads(first)["soundstage_cassette"])
        if version > VERSION:
            raise InvalidRecording(f"A newer Soundstage wrote {path} (version {version}). Replay it with that one.")
        head = Head.model_validate(_second_version(json.loads(first)) if version == 1 else json.loads(first))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InvalidRecording(f"{path} is no recording ({one_line(str(error))}). Make one with --record.") from error
    exchanges: list[Talk | Embedding] = []
    for number, line in enumerate(lines, 2):
        try:
            exchanges += [_exchange(json.loads(line), head)] if line else []
        except (ValueError, LookupError, TypeError) as error:
            if number <= len(lines):
                raise InvalidRecording(f"Line {number} of {path} is no exchange. Record it again.") from error
    if not head.route and exchanges:
        head = head.model_copy(update={"route": exchanges[0].request.model})
    return Cassette(head=head, exchanges=tuple(exchanges))


def _second_version(first: dict[str, Any]) -> dict[str, Any]:
    return {"route": "", "providers": {first["provider"]: 1}}


def _exchange(line: dict[str, Any], head: Head) -> Talk | Embedding:
    """An exchange, also one of the first version, which tells neither its kind nor the provider."""
    if "kind" not in line:
        line = {"provider": next(iter(head.providers)), **line}
        line |= {"kind": "embedding" if "texts" in line["request"] else "talk"}
        line = {name: value for name, value in line.items() if name != "pieces" or line["kind"] == "talk"}
    return EXCHANGE.validate_python(line)


def _write(path: Path, line: dict[str, Any], how: int) -> None:
    try:
        with open(os.open(path, os.O_WRONLY | how, 0o600), "wb") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputRefused(
            f"What the model says cannot be recorded in {path} ({error.strerror}). Name a new file with --record."
        ) from error
