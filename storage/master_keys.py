"""The keys that other keys are encrypted with, and the encryption itself."""

import hmac
import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from domain.errors import MasterKeyMissing, MasterKeyWrong, SecretDamaged
from storage.key_file import KeyFile, new_key, parse_keys

NONCE_BYTES = 12
VARIABLE = "SOUNDSTAGE_MASTER_KEY"


class Sealed(NamedTuple):
    """An encrypted text: AES-256-GCM under the master key of that id, with a random nonce."""

    master_key_id: str
    nonce: bytes
    ciphertext: bytes


class MasterKeys:
    """Master keys by their ids. The newest encrypts; each decrypts what it encrypted."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._by_id = {_id(key): key for key in keys}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    @property
    def newest(self) -> str:
        """The id of the key that encrypts. MasterKeyMissing."""
        if not self._by_id:
            raise MasterKeyMissing
        return next(iter(self._by_id))

    def seal(self, secret: str, about: bytes) -> Sealed:
        """Encrypts a text. It can be decrypted only together with ``about``, which is kept beside it, not in it."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._by_id[self.newest]).encrypt(nonce, secret.encode(), about)
        return Sealed(self.newest, nonce, sealed)

    def unseal(self, sealed: Sealed, about: bytes) -> str:
        """The text. MasterKeyMissing, MasterKeyWrong; SecretDamaged when it, or what it is about, was changed."""
        if not self:
            raise MasterKeyMissing
        key = self._by_id.get(sealed.master_key_id)
        if key is None:
            raise MasterKeyWrong(
                f"An API key was encrypted with master key {sealed.master_key_id}, and there is only "
                f"{', '.join(self._by_id)}. Restore that one in {VARIABLE} or master.key, or remove the API key "
                "(soundstage keys remove) and add it anew."
            )
        try:
            return AESGCM(key).decrypt(sealed.nonce, sealed.ciphertext, about).decode()
        except (InvalidTag, ValueError):
            raise SecretDamaged from None


class MasterKeySource:
    """Where master keys come from: the environment, several of them separated by commas, and a file in the home.

    With keys in the environment the first of them encrypts, and the file is only read, for what it encrypted before.
    All but ``fixed`` is called within a transaction that writes, of which there is one at a time in all processes.
    """

    def __init__(self, environment: SecretStr | None, file: KeyFile) -> None:
        self._environment = environment
        self._file = file

    @property
    def fixed(self) -> bool:
        """Whether the environment says which key encrypts, so that no new one can be made here."""
        return bool(self._set())

    def _set(self) -> tuple[bytes, ...]:
        return parse_keys(self._environment.get_secret_value(), VARIABLE) if self._environment is not None else ()

    def present(self) -> MasterKeys:
        """What there is. MasterKeyUnusable, StorageUnavailable."""
        return MasterKeys([*self._set(), *self._file.read()])

    def made(self) -> MasterKeys:
        """What there is, after the first key was made where there was none."""
        return self.present() or MasterKeys(self._file.create())

    def renewed(self) -> MasterKeys:
        """The same with a new key before them; with keys in the environment just the same. No key is given up."""
        if not self.fixed:
            self._file.replace([new_key(), *self._file.read()])
        return self.present()

    def forget_all_but(self, used: Collection[str]) -> None:
        """Gives up the keys of the file of which none of ``used`` is the id; the newest stays."""
        keys = self._file.read()
        kept = [key for at, key in enumerate(keys) if at == 0 or _id(key) in used]
        if not self.fixed and len(kept) < len(keys):
            self._file.replace(kept)


def _id(key: bytes) -> str:
    return hmac.new(key, b"soundstage master key", "sha256").hexdigest()[:16]
