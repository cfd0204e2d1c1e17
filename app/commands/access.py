"""``soundstage access``: keys that let programs in. Each is shown once, when it is made."""

import sys
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from app.settings import Settings
from app.store import open_store
from domain.access import AccessKey, AccessScope
from domain.errors import UsageError
from domain.text import one_line

LONGEST_DAYS = 3660


async def add_access(settings: Settings, scopes: list[str], owner: str, label: str, days: int | None) -> None:
    """Makes a key and prints it. UsageError."""
    known = [scope.value for scope in AccessScope]
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        raise UsageError(f"There is no scope {one_line(unknown[0])!r}. Use one of: {', '.join(known)}.")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise UsageError(f"--expires-days is a number of days from 1 to {LONGEST_DAYS}.")
    lifetime = None if days is None else timedelta(days=days)
    async with open_store(settings) as store:
        try:
            key, secret = await store.access.add(map(AccessScope, scopes), owner, label, lifetime)
        except ValidationError as error:
            field = error.errors()[0]["loc"][0]
            raise UsageError(
                f"That is no --{field}. An owner has up to 64 letters, digits and . _ @ -, a label 100 characters."
            ) from None
    print(secret.get_secret_value())
    print(f"The key {key.id} of {key.owner} is made. Keep it now: it is not shown again.", file=sys.stderr)


async def list_access(settings: Settings, as_json: bool) -> None:
    """Prints what is known of every key."""
    async with open_store(settings) as store:
        keys = await store.access.known()
    if as_json:
        for key in keys:
            print(key.model_dump_json())
        return
    if not keys:
        print("No access key was given out. Make one with: soundstage access add --scope tasks:read")
        return
    for key in keys:
        label = f"  {one_line(key.label)}" if key.label else ""
        print(f"{key.id}  {key.owner:<12} {_state(key):<22} {' '.join(sorted(key.scopes))}{label}")


def _state(key: AccessKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at is None:
        return "works"
    return f"{'works until' if key.works(datetime.now(UTC)) else 'expired'} {key.expires_at:%Y-%m-%d}"


async def revoke_access(settings: Settings, prefix: str) -> None:
    """Ends a key. UnknownKey."""
    async with open_store(settings) as store:
        key = await store.access.revoke(prefix)
    print(f"The key {key.id} of {key.owner} lets nobody in any more.")
