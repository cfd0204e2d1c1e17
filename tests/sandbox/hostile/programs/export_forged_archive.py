"""Writes, as a hostile runner would, an archive of everything that must not be unpacked."""

import io
import sys
import tarfile

buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
    for name in ("../../x", "/etc/cron.d/x", "a/../../x", ".git/hooks/pre-commit", "a\nb", "good.txt"):
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    for name, kind, link in (
        ("link", tarfile.SYMTYPE, "/etc"), ("link/passwd", tarfile.REGTYPE, ""),
        ("hard", tarfile.LNKTYPE, "/etc/passwd"), ("node", tarfile.CHRTYPE, ""),
        ("disk", tarfile.BLKTYPE, ""), ("pipe", tarfile.FIFOTYPE, ""),
    ):  # fmt: skip
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        archive.addfile(member)
sys.stdout.buffer.write(buffer.getvalue())
