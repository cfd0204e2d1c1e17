"""A cassette: a file with what was said between us and a provider, one exchange a line, in JSON.

The first line tells the version of the format and the provider. Lines are only ever added.
"""

import json
import os
from pathlib import Path
from typing import Any

import domain.errors
from domain.base import Value
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import InvalidRecording, ModelUnavailable, OutputRefused, SoundstageError
from domain.text import one_line

VERSION = 1


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


class Exchange(Value):
    """A request and what came of it: a reply or a fault. The numbers are seconds since the request."""

    request: ModelRequest | EmbeddingRequest
    pieces: tuple[tuple[float, Delta], ...] = ()
    reply: ModelReply | EmbeddingReply | None = None
    fault: Fault | None = None
    seconds: float = 0.0


class Cassette(Value):
    """What a file holds: the provider that was asked, and the exchanges in the order of their ends."""

    provider: str
    exchanges: tuple[Exchange, ...]


def begin(path: Path, provider: str) -> None:
    """Makes the file, readable for its owner only. OutputRefused where it is there already, or cannot be made."""
    _write(path, {"soundstage_cassette": VERSION, "provider": provider}, os.O_CREAT | os.O_EXCL)


def add(path: Path, exchange: dict[str, Any]) -> None:
    """Adds an exchange in the form of JSON; it is on the disk when this returns. OutputRefused."""
    _write(path, exchange, os.O_APPEND)


def read(path: Path) -> Cassette:
    """The cassette in a file; a last line that a crash tore is left out. InvalidRecording."""
    try:
        head, *lines = path.read_bytes().split(b"\n")
        header = json.loads(head)
        version, provider = int(header["soundstage_cassette"]), str(header["provider"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InvalidRecording(f"{path} is no recording ({one_line(str(error))}). Make one with --record.") from error
    if version > VERSION:
        raise InvalidRecording(f"A newer Soundstage wrote {path} (version {version}). Replay it with that one.")
    exchanges = []
    for number, line in enumerate(lines, 2):
        try:
            exchanges += [Exchange.model_validate(json.loads(line))] if line else []
        except ValueError as error:
            if number <= len(lines):
                raise InvalidRecording(f"Line {number} of {path} is no exchange. Record it again.") from error
    return Cassette(provider=provider, exchanges=tuple(exchanges))


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
