"""A person's own folder of wheels, to install from without any network."""

import hashlib
from pathlib import Path

from domain.errors import UsageError

SUFFIXES = (".whl", ".tar.gz", ".zip")


def read_wheels(folder: Path, limit: int) -> dict[str, bytes]:
    """The wheels and source archives in a folder, by file name. UsageError when there are none, or more than
    ``limit`` bytes of them."""
    try:
        found = sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES) and path.is_file())
        size = sum(path.stat().st_size for path in found)
        if size > limit:
            raise UsageError(
                f"{folder} holds {size} bytes of wheels, more than {limit}. Keep only those that are needed."
            )
        wheels = {path.name: path.read_bytes() for path in found}
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be read ({error.strerror}). Name a folder of wheels with --wheels."
        ) from error
    if not wheels:
        raise UsageError(f"{folder} holds no wheel. Fill it with: pip download -d {folder} -r requirements.txt")
    return wheels


def fingerprint(folder: Path, limit: int) -> list[tuple[str, str]]:
    """Names and digests of a folder's wheels. UsageError."""
    return [(name, hashlib.sha256(content).hexdigest()) for name, content in read_wheels(folder, limit).items()]
