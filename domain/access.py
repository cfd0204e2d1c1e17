"""Access keys: what a program shows to be let in, and what it may do then."""

import hashlib
import hmac
import secrets
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from pydantic import Field, SecretStr

from domain.base import Value
from domain.task import LOCAL_OWNER

PREFIX = "sst"
ID_BYTES, SECRET_BYTES = 6, 32
LONGEST_KEY = 100
"""Characters; what is longer is no key, and is not looked at."""


class AccessScope(StrEnum):
    """What a key allows."""

    SEE_TASKS = "tasks:read"
    STEER_TASKS = "tasks:write"
    USE_TOOLS = "tools:exec"
    SEE_COSTS = "costs:read"
    SEE_AUDIT = "audit:read"
    MANAGE_SECRETS = "secrets:admin"


class AccessKey(Value):
    """What is known of a key without the key. Times are UTC; None is never."""

    id: str
    owner: str = Field(default=LOCAL_OWNER, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
    label: str = Field(default="", max_length=100)
    scopes: frozenset[AccessScope] = Field(min_length=1)
    made_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def works(self, now: datetime) -> bool:
        """Whether it lets anybody in at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class AccessKeys(Protocol):
    """Knows the keys that were given out."""

    async def find(self, shown: str) -> AccessKey | None:
        """The key that somebody shows, where it lets them in; None for any other text. StorageUnavailable."""
        ...

    async def works(self, key_id: str) -> bool:
        """Whether the key of an id still lets anybody in. StorageUnavailable."""
        ...


class NewSecret(NamedTuple):
    """A key that nobody has seen: its id, the whole of it, and the hash that is kept of it."""

    id: str
    shown: SecretStr
    digest: bytes


def new_secret() -> NewSecret:
    """A key of 256 random bits: ``sst_<id>_<secret>``, of which the id may stand anywhere."""
    key_id = secrets.token_hex(ID_BYTES)
    shown = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return NewSecret(key_id, SecretStr(shown), digest_of(shown))


def id_of(shown: str) -> str | None:
    """The id that a key names; None for a text that has not the form of one."""
    prefix, _, rest = shown.partition("_")
    key_id, _, secret = rest.partition("_")
    well = prefix == PREFIX and len(key_id) == 2 * ID_BYTES and secret and len(shown) <= LONGEST_KEY
    return key_id if well and shown.isascii() else None


def digest_of(shown: str) -> bytes:
    """SHA-256 of a key: with 256 random bits in it, no slower hash is needed."""
    return hashlib.sha256(shown.encode()).digest()


def same(digest: bytes, shown: str) -> bool:
    """Whether a key is the one whose hash was kept, told in a time that says nothing of where they differ."""
    return hmac.compare_digest(digest, digest_of(shown))
