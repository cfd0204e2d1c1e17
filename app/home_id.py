"""The id of a home, by which its containers are known on an engine that others use as well."""

import os
import re
import secrets
from pathlib import Path

from domain.errors import StorageUnavailable

FORM = re.compile(r"[0-9a-f]{16}")


def read_home_id(home: Path) -> str:
    """The id in a home; makes one where there is none. StorageUnavailable.

    Whoever makes it first, of several that try at once, makes it for all.
    """
    place = home / "id"
    try:
        home.mkdir(parents=True, exist_ok=True)
        new = home / f".id-{secrets.token_hex(8)}"
        if not place.exists():
            new.write_text(secrets.token_hex(8), encoding="ascii")
            try:
                os.link(new, place)
            except FileExistsError:
                pass
            finally:
                new.unlink()
        found = place.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise StorageUnavailable(
            f"{home} cannot be written ({error.strerror}). Free disk space, check who may write there, or set "
            "SOUNDSTAGE_HOME to another folder."
        ) from error
    if FORM.fullmatch(found) is None:
        raise StorageUnavailable(f"{place} does not hold an id. Remove it: a new one is made then.")
    return found
