"""API keys of providers: what may be said of them, and where they are kept."""

import hmac
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import ConfigDict, Field, SecretStr, field_validator

from domain.base import Value
from domain.errors import InvalidKey

SHORTEST_SECRET = 8
"""Characters of the shortest text that counts as a secret. Local servers take any word for a key, such as ``none``:
to take that out of every text would spoil the text."""

SHOWN_CHARACTERS = 4
LONG_ENOUGH_TO_SHOW = 20
PROVIDER_NAME = r"^[a-z0-9][a-z0-9._-]{0,30}$"
"""So short that hardly a key passes for a name."""


class KeySource(StrEnum):
    """Where a key comes from."""

    ENVIRONMENT = "environment"
    STORED = "stored"


class StoredKey(Value):
    """What is known of a key without the key. ``last4`` is empty for a key so short that four characters matter.

    ``added_at`` is None for a key of the environment; ``master_key_id`` names what a stored one is encrypted with.
    """

    id: str
    provider: str = Field(pattern=PROVIDER_NAME)
    label: str = Field(default="", max_length=100)
    last4: str = Field(default="", max_length=SHOWN_CHARACTERS)
    source: KeySource = KeySource.STORED
    added_at: datetime | None = None
    master_key_id: str = ""


class ProviderKey(Value):
    """A key that can be used. The secret shows in no ``repr`` and no JSON; ``id`` may stand anywhere. InvalidKey."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: str
    provider: str = Field(pattern=PROVIDER_NAME)
    secret: SecretStr
    label: str = Field(default="", max_length=100)
    source: KeySource = KeySource.ENVIRONMENT

    @field_validator("secret")
    @classmethod
    def _fits_a_header(cls, secret: SecretStr) -> SecretStr:
        check_secret(secret)
        return secret

    @property
    def last4(self) -> str:
        """The last four characters of a long key, and nothing of a short one."""
        text = self.secret.get_secret_value()
        return text[-SHOWN_CHARACTERS:] if len(text) >= LONG_ENOUGH_TO_SHOW else ""


class Rotation(Value):
    """What a rotation did: how many keys it encrypted anew, how many there are, and the id of the master key."""

    changed: int
    total: int
    master_key_id: str


class KeyStore(Protocol):
    """Keeps keys encrypted. Whoever reads what it keeps without the master key learns no key."""

    async def add(self, key: ProviderKey) -> StoredKey:
        """Keeps a key. Conflict when it is there already."""
        ...

    async def known(self, provider: str | None = None) -> tuple[StoredKey, ...]:
        """What is known of the keys, of one provider or of all, the oldest first. Needs no master key."""
        ...

    async def opened(self, provider: str | None = None) -> tuple[ProviderKey, ...]:
        """The keys themselves. SecretsUnavailable when one cannot be decrypted."""
        ...

    async def remove(self, prefix: str) -> StoredKey:
        """Forgets the key whose id begins so; UnknownKey when that is none, or more than one."""
        ...

    async def rotate(self) -> Rotation:
        """Encrypts every key under a new master key, all or none. SecretsUnavailable, and nothing is changed."""
        ...


def check_secret(secret: SecretStr) -> None:
    """InvalidKey unless the text can stand in an HTTP header and in a list that commas separate."""
    text = secret.get_secret_value()
    if not text:
        raise InvalidKey("The API key is empty. Enter the key as the provider shows it.")
    if not all("!" <= character <= "~" and character != "," for character in text):
        raise InvalidKey


def key_id(pepper: bytes, provider: str, secret: SecretStr) -> str:
    """A short id of a key, always the same in one home, that tells nothing of the key to who has not the pepper."""
    text = f"{provider}\0{secret.get_secret_value()}"
    return hmac.new(pepper, text.encode(), "sha256").hexdigest()[:12]
