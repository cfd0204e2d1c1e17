"""What an install container hands out, vetted, as the context of an image build. Nothing of it touches a file system
here: it goes from one tar stream to another."""

from typing import BinaryIO

from domain.base import Value
from domain.errors import HostileOutput
from domain.files import vet_link
from sandbox.dependencies.diagnosis import too_large, too_many
from sandbox.runner import tarstream
from sandbox.vetting import VettingLimits, is_plain, printable

MOST_SHOWN = 20


class Layer(Value):
    """What a layer holds; ``size`` is bytes of content. ``refused`` are paths that were left behind, 20 at most."""

    files: int
    size: int
    refused: tuple[str, ...] = ()


class LayerWriter:
    """Writes entries of one tar stream that may pass into another, below ``layer/``."""

    def __init__(self, target: BinaryIO, limits: VettingLimits) -> None:
        self._target = target
        self._limits = limits
        self._leaves: set[str] = set()
        self._folders: set[str] = set()
        self._refused: list[str] = []
        self._size = 0

    def take(self, source: BinaryIO) -> Layer:
        """Takes a whole stream in. HostileOutput when it is malformed or names a path twice, DependenciesFailed when it
        exceeds the limits."""
        self._header(tarstream.Entry("layer/", tarstream.DIRECTORY, 0, executable=True, link=""))
        reader = tarstream.Reader(source.read)
        try:
            for count, entry in enumerate(reader, start=1):
                if count > self._limits.entries:
                    raise too_many(self._limits.entries)
                if entry.type != tarstream.DIRECTORY:
                    self._take(entry, reader)
        except tarstream.TarError as error:
            raise HostileOutput(f"The packages came as a malformed archive: {error}. Nothing was kept.") from error
        return Layer(files=len(self._leaves), size=self._size, refused=tuple(self._refused[:MOST_SHOWN]))

    def add(self, path: str, content: bytes) -> None:
        """Writes a file of our own beside the layer."""
        self._header(tarstream.Entry(path, tarstream.REGULAR, len(content), executable=False, link=""))
        self._target.write(content + tarstream.padding(len(content)))

    def finish(self) -> None:
        """Ends the archive."""
        self._target.write(tarstream.END_OF_ARCHIVE)
        self._target.flush()

    def _header(self, entry: tarstream.Entry) -> None:
        self._target.write(tarstream.header(entry))

    def _take(self, entry: tarstream.Entry, reader: tarstream.Reader) -> None:
        if entry.path in self._leaves:
            raise HostileOutput(f"The packages hold {printable(entry.path)} twice. Nothing was kept.")
        if not self._may_pass(entry):
            self._refused.append(printable(entry.path))
            return
        parts = entry.path.split("/")
        self._leaves.add(entry.path)
        self._folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
        self._size += entry.size
        if self._size > self._limits.total_bytes or entry.size > self._limits.file_bytes:
            raise too_large(self._limits.total_bytes)
        self._header(entry._replace(path=f"layer/{entry.path}"))
        while chunk := reader.content():
            self._target.write(chunk)
        self._target.write(tarstream.padding(entry.size))

    def _may_pass(self, entry: tarstream.Entry) -> bool:
        if not is_plain(entry.path) or entry.path in self._folders:
            return False
        parts = entry.path.split("/")
        if any("/".join(parts[:depth]) in self._leaves for depth in range(1, len(parts))):
            return False
        if entry.type == tarstream.SYMLINK:
            return entry.size == 0 and _stays(entry.path, entry.link)
        return entry.type == tarstream.REGULAR


def _stays(path: str, link: str) -> bool:
    try:
        vet_link(path, link)
    except HostileOutput:
        return False
    return True


def write_context(source: BinaryIO, target: BinaryIO, dockerfile: str, limits: VettingLimits) -> Layer:
    """The build context for a layer: the vetted files of ``source`` below ``layer/``, and a Dockerfile."""
    writer = LayerWriter(target, limits)
    layer = writer.take(source)
    writer.add("Dockerfile", dockerfile.encode())
    writer.finish()
    return layer
