"""Archives that a hostile runner could send, made by Python's own tarfile and by hand."""

import io
import tarfile
from collections.abc import Callable
from typing import Any

from sandbox.runner import tarstream


def archive(*members: tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT, **more: Any) -> bytes:
    """A tar stream of members; the content of each is as many bytes of ``x`` as its size says."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, **more) as made:
        for member in members:
            made.addfile(member, io.BytesIO(b"x" * member.size))
    return buffer.getvalue()


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0, pax: dict[str, str] | None = None
) -> tarfile.TarInfo:
    """One member, with pax records where there are any."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.pax_headers = kind, link, size, pax or {}
    return info


def patched(data: bytes, change: Callable[[bytearray], object], block: int = 0) -> bytes:
    """The stream with a header changed and its checksum made right again."""
    header = bytearray(data[block * 512 : (block + 1) * 512])
    change(header)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return data[: block * 512] + bytes(header) + data[(block + 1) * 512 :]


def field(start: int, value: bytes) -> Callable[[bytearray], object]:
    """A change that writes a value into a header."""

    def write(header: bytearray) -> None:
        header[start : start + len(value)] = value

    return write


def pax_block(records: bytes) -> bytes:
    """An extended header with those records, and a plain file behind it."""
    extended = tarstream.header(tarstream.Entry("pax", tarstream.PAX, len(records), False, ""))
    return extended + records + tarstream.padding(len(records)) + archive(member("plain", size=3))


REFUSED_ONE_BY_ONE = {
    "parent": archive(member("../x", size=3), member("good", size=3)),
    "parent inside": archive(member("a/../../x", size=3), member("good", size=3)),
    "absolute": archive(member("/etc/passwd", size=3), member("good", size=3)),
    "dot": archive(member("./x", size=3), member("good", size=3)),
    "empty part": archive(member("a//x", size=3), member("good", size=3)),
    "backslash": archive(member("a\\..\\x", size=3), member("good", size=3)),
    "version control": archive(member(".git/hooks/pre-commit", size=3), member("good", size=3)),
    "version control in capitals": archive(member("a/.GiT/config", size=3), member("good", size=3)),
    "newline": archive(member("a\nb", size=3), member("good", size=3)),
    "escape": archive(member("\x1b]0;title\x07", size=3), member("good", size=3)),
    "symlink": archive(member("link", tarfile.SYMTYPE, "/etc/passwd"), member("good", size=3)),
    "symlink and a file below": archive(member("link", tarfile.SYMTYPE, "/tmp"), member("good", size=3)),
    "hardlink": archive(member("link", tarfile.LNKTYPE, "/etc/passwd"), member("good", size=3)),
    "character device": archive(member("null", tarfile.CHRTYPE), member("good", size=3)),
    "block device": archive(member("disk", tarfile.BLKTYPE), member("good", size=3)),
    "fifo": archive(member("fifo", tarfile.FIFOTYPE), member("good", size=3)),
    "contiguous": archive(member("contiguous", tarfile.CONTTYPE, size=3), member("good", size=3)),
    "unknown type": archive(member("unknown", b"Z", size=3), member("good", size=3)),
    "prefix": patched(archive(member("x", size=3)), field(345, b"..")) [:1024] + archive(member("good", size=3)),
    "pax path": archive(member("a", size=3, pax={"path": "../../x"}), member("good", size=3), form=tarfile.PAX_FORMAT),
    "too large": archive(member("large", size=2000), member("good", size=3)),
}  # fmt: skip
"""Of each, only ``good`` may leave."""

GNU_LONG = archive(member("d/" * 60 + "file", size=3), form=tarfile.GNU_FORMAT)

REFUSED_AS_A_WHOLE = {
    "twice": archive(member("a", size=3), member("a", size=3)),
    "cut in a header": archive(member("a", size=3))[:100],
    "cut in content": archive(member("a", size=900))[:1000],
    "no end": archive(member("a", size=3))[:1024],
    "no tar": b"x" * 1024,
    "empty": b"",
    "compressed": archive(member("a", size=3)).replace(b"ustar", b"vstar"),
    "checksum": archive(member("a", size=3)).replace(b"a\0", b"b\0", 1),
    "huge size": patched(archive(member("a")), field(124, b"77777777777\0")),
    "binary size": patched(archive(member("a")), field(124, b"\x80" + b"\0" * 10 + b"\x01")),
    "negative size": patched(archive(member("a")), field(124, b"\xff" * 12)),
    "size with a sign": patched(archive(member("a", size=3)), field(124, b"-0000000003\0")),
    "GNU long name": GNU_LONG,
    "GNU long link": archive(member("a", tarfile.SYMTYPE, "t" * 150), form=tarfile.GNU_FORMAT),
    "GNU sparse": patched(archive(member("a", size=3)), field(156, b"S")),
    "pax global": archive(member("a", size=3), form=tarfile.PAX_FORMAT, pax_headers={"path": "../x"}),
    "pax size": pax_block(b"12 size=100\n"),
    "pax sparse": archive(member("a", size=3, pax={"GNU.sparse.major": "1"}), form=tarfile.PAX_FORMAT),
    "pax without a length": pax_block(b" path=a\n"),
    "pax length too short": pax_block(b"1 path=a\n"),
    "pax length too long": pax_block(b"99 path=a\n"),
    "pax length of zeros": pax_block(b"0" * 20 + b" path=a\n"),
    "pax length of many digits": pax_block(b"9" * 5000 + b" path=a\n"),
    "pax without an equals sign": pax_block(b"9 patha\n\n"),
    "pax without a newline": pax_block(b"9 path=ab"),
    "pax too long": pax_block(b"x" * (tarstream.MAX_PAX + 1)),
}
"""Nothing of these may leave."""
