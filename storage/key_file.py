"""A file of random keys that nobody but its owner may read."""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from domain.errors import MasterKeyUnusable, StorageUnavailable

KEY_BYTES = 32
FORM = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")
MOST_BYTES = 1 << 16


def new_key() -> bytes:
    """A random key of 256 bits."""
    return secrets.token_bytes(KEY_BYTES)


def parse_keys(text: str, where: str) -> tuple[bytes, ...]:
    """The keys in a text: 64 hexadecimal digits each, between them commas or space. MasterKeyUnusable."""
    words = text.replace(",", " ").split()
    if not all(FORM.fullmatch(word) for word in words):
        raise MasterKeyUnusable(
            f"{where} holds something that is no key. Let it be 64 hexadecimal digits (openssl rand -hex 32), or "
            "several such keys with the newest first."
        )
    return tuple(bytes.fromhex(word) for word in words)


class KeyFile:
    """Keys in hexadecimal digits, one on a line, the newest first. It is replaced, never written to, so it is whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[bytes, ...]:
        """The keys; none where there is no file. MasterKeyUnusable when others may read it, or it holds no keys."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                self._check(os.fstat(descriptor))
                text = os.read(descriptor, MOST_BYTES).decode("ascii", "replace")
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StorageUnavailable(
                f"{self.path} cannot be read ({error.strerror}). Check who may read it."
            ) from error
        keys = parse_keys(text, str(self.path))
        if not keys:
            raise MasterKeyUnusable(f"{self.path} is empty. Restore it from a backup, or remove it: see docs/keys.md.")
        return keys

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise MasterKeyUnusable(f"{self.path} is no file. Remove it: a new key is made when one is needed.")
        if found.st_mode & 0o077:
            raise MasterKeyUnusable(
                f"Others can read or write {self.path}, so it is not used. Run: chmod 600 {self.path} and, if somebody "
                "may have read it: soundstage keys rotate, and new keys from the providers."
            )
        if os.geteuid() not in {0, found.st_uid}:
            raise MasterKeyUnusable(f"{self.path} belongs to another user, so it is not used. Make it yours (chown).")

    def create(self) -> tuple[bytes, ...]:
        """The keys; where there is no file, one is made with a new key. Of several who try at once, the first makes it
        for all. StorageUnavailable, MasterKeyUnusable."""
        found = self.read()
        if not found:
            with self._written([new_key()]) as new, contextlib.suppress(FileExistsError):
                os.link(new, self.path)
            found = self.read()
        return found

    def replace(self, keys: Sequence[bytes]) -> None:
        """Puts other keys in the place of these; a crash leaves the ones or the others. StorageUnavailable.

        Only one caller at a time: it removes what a crash left of earlier ones.
        """
        for left in self.path.parent.glob(f".{self.path.name}-*"):
            with contextlib.suppress(OSError):
                left.unlink()
        with self._written(keys) as new:
            os.replace(new, self.path)

    @contextlib.contextmanager
    def _written(self, keys: Sequence[bytes]) -> Iterator[Path]:
        """A new file with the keys, durable, for the block to put in its place."""
        new = self.path.with_name(f".{self.path.name}-{secrets.token_hex(8)}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with open(descriptor, "w", encoding="ascii") as file:
                    file.write("".join(f"{key.hex()}\n" for key in keys))
                    file.flush()
                    os.fsync(descriptor)
                yield new
            finally:
                new.unlink(missing_ok=True)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageUnavailable(
                f"{self.path} cannot be written ({error.strerror}). Free disk space, check who may write there, or set "
                "SOUNDSTAGE_HOME to another folder."
            ) from error
