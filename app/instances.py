"""Which Soundstage processes are alive: each holds a lock on a file of its own, which the kernel lets go of when
the process ends, however it ends."""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

from domain.errors import StorageUnavailable


class InstanceLock:
    """The lock of this process, in ``folder``; ``id`` is its instance id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.id = secrets.token_hex(8)
        self._fd: int | None = None

    def acquire(self) -> None:
        """Makes the file and locks it. StorageUnavailable when that cannot be done."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Under its real name it is seen by others only once it is locked.
            new = self._folder / f"{self.id}.new"
            self._fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            new.rename(self._path(self.id))
        except OSError as error:
            raise StorageUnavailable(
                f"{self._folder} cannot be written ({error.strerror}). Free disk space, check who may write there, "
                "or set SOUNDSTAGE_HOME to another folder."
            ) from error

    def release(self) -> None:
        """Removes the file and the lock."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                self._path(self.id).unlink()
            os.close(self._fd)
            self._fd = None

    def alive(self) -> set[str]:
        """The ids of the processes that hold their locks, this one among them; forgets those that do not."""
        found = set()
        for path in self._folder.glob("*.lock"):
            if path.stem == self.id or not _free(path):
                found.add(path.stem)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
        return found

    def _path(self, instance: str) -> Path:
        return self._folder / f"{instance}.lock"


def _free(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(fd)
