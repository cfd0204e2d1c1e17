"""Reading and writing tar streams (POSIX ustar, with pax headers for long paths).

Both ends of a sandbox's file transfer use this. It knows nothing of file systems: it turns entries into bytes and
bytes into entries, and refuses what it does not fully understand. Source: POSIX.1-2017, pax, "ustar Interchange
Format" and "pax Extended Header".
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

BLOCK = 512
REGULAR, HARD_LINK, SYMLINK, DIRECTORY, PAX = b"0", b"1", b"2", b"5", b"x"
MEANING_TYPES = frozenset({b"g", b"D", b"K", b"L", b"M", b"N", b"S", b"V", b"X"})
"""Types that change what other entries or their own content mean: global pax headers, and GNU's and Sun's own."""
MAX_PAX = 64 * 1024
END_OF_ARCHIVE = b"\0" * (2 * BLOCK)


class TarError(ValueError):
    """The bytes are no tar stream that we understand."""


class Entry(NamedTuple):
    """One member. ``type`` is the tar type flag; ``size`` counts the bytes of content that follow."""

    path: str
    type: bytes
    size: int
    executable: bool
    link: str


def header(entry: Entry) -> bytes:
    """The header blocks of an entry; its content follows, padded by ``padding``."""
    name, link = _encode(entry.path), _encode(entry.link)
    if len(name) <= 100 and len(link) <= 100:
        return _block(name, entry, link)
    records = b""
    if len(name) > 100:
        records += _record(b"path", name)
    if len(link) > 100:
        records += _record(b"linkpath", link)
    extended = Entry("pax", PAX, len(records), executable=False, link="")
    return _block(b"pax", extended, b"") + records + padding(len(records)) + _block(name[:100], entry, link[:100])


def padding(size: int) -> bytes:
    """The zeros that fill content of ``size`` bytes up to a whole block."""
    return b"\0" * (-size % BLOCK)


def _block(name: bytes, entry: Entry, link: bytes) -> bytes:
    mode = b"0000755" if entry.executable or entry.type == DIRECTORY else b"0000644"
    size = b"%011o" % entry.size if entry.size < 8**11 else _refuse("an entry is too large for tar")
    fields = (
        name.ljust(100, b"\0"),
        mode + b"\0",
        b"0000000\0" * 2,
        size + b"\0",
        b"00000000000\0",
        b" " * 8,
        entry.type,
        link.ljust(100, b"\0"),
        b"ustar\x0000",
    )
    block = bytearray(b"".join(fields).ljust(BLOCK, b"\0"))
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _refuse(what: str) -> bytes:
    raise TarError(what)


class Reader:
    """Reads entries from ``read(n)``, which returns exactly n bytes, or fewer at the end of the stream."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._left = 0
        self._pad = 0

    def __iter__(self) -> Iterator[Entry]:
        extended: dict[bytes, bytes] = {}
        while (entry := self._next(extended)) is not None:
            if entry.type == PAX:
                extended = self._pax(entry)
                continue
            if entry.type in MEANING_TYPES:
                raise TarError(f"an entry is of type {entry.type!r}, which is not accepted")
            extended = {}
            self._left, self._pad = entry.size, -entry.size % BLOCK
            yield entry
            self.skip()

    def content(self, most: int = 1 << 20) -> bytes:
        """Up to ``most`` bytes of the present entry's content; empty at its end."""
        if not self._left:
            return b""
        data = self._exactly(min(most, self._left))
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Passes over what is left of the present entry."""
        while self.content():
            pass
        self._exactly(self._pad)
        self._pad = 0

    def _next(self, extended: dict[bytes, bytes]) -> Entry | None:
        block = self._exactly(BLOCK)
        if not block.strip(b"\0"):
            return None
        if block[257:262] != b"ustar":
            raise TarError("a header is not in ustar format")
        if _octal(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 32:
            raise TarError("a header's checksum is wrong")
        prefix = _string(block[345:500]) if block[257:263] == b"ustar\0" else b""
        name = extended.get(b"path") or b"/".join(part for part in (prefix, _string(block[:100])) if part)
        link = extended.get(b"linkpath") or _string(block[157:257])
        kind = bytes(block[156:157])
        return Entry(
            path=name.decode("utf-8", "surrogateescape"),
            type=REGULAR if kind == b"\0" else kind,
            size=_octal(block[124:136]),
            executable=bool(_octal(block[100:108]) & 0o100),
            link=link.decode("utf-8", "surrogateescape"),
        )

    def _pax(self, entry: Entry) -> dict[bytes, bytes]:
        if entry.size > MAX_PAX:
            raise TarError("an extended header is too long")
        data = self._exactly(entry.size)
        self._exactly(-entry.size % BLOCK)
        records: dict[bytes, bytes] = {}
        while data:
            length, _, _ = data.partition(b" ")
            if not length.isdigit() or len(length) > 9 or not len(length) < int(length) <= len(data):
                raise TarError("an extended header is malformed")
            record, data = data[len(length) + 1 : int(length)], data[int(length) :]
            key, equals, value = record.partition(b"=")
            if not equals or not value.endswith(b"\n") or key not in {b"path", b"linkpath"}:
                raise TarError(f"an extended header holds {key[:40]!r}, which is not accepted")
            records[key] = value[:-1]
        return records

    def _exactly(self, size: int) -> bytes:
        data = self._read(size) if size else b""
        if len(data) != size:
            raise TarError("the stream ends in the middle")
        return data


def _string(field: bytes) -> bytes:
    return bytes(field).split(b"\0", 1)[0]


def _octal(field: bytes) -> int:
    digits = bytes(field).strip(b" \0")
    if any(digit not in b"01234567" for digit in digits):
        raise TarError("a number in a header is not octal")
    return int(digits or b"0", 8)
