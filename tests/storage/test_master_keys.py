from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from domain.errors import MasterKeyMissing, MasterKeyUnusable, MasterKeyWrong, SecretDamaged
from storage.key_file import KeyFile, new_key
from storage.master_keys import MasterKeys, MasterKeySource

ABOUT = b"openai, 1"


@given(st.text(), st.binary())
def test_property_what_was_sealed_is_unsealed_and_cannot_be_read_without_the_key(secret: str, about: bytes) -> None:
    keys = MasterKeys([new_key()])
    sealed = keys.seal(secret, about)
    assert keys.unseal(sealed, about) == secret
    assert len(secret) < 4 or secret.encode() not in sealed.ciphertext


@given(st.binary(min_size=1, max_size=60), st.integers(0), st.integers(0, 7))
def test_property_a_flipped_bit_anywhere_is_damage(secret: bytes, where: int, bit: int) -> None:
    keys = MasterKeys([new_key()])
    sealed = keys.seal(secret.hex(), ABOUT)

    def flipped(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[where % len(changed)] ^= 1 << bit
        return bytes(changed)

    for changed in (
        sealed._replace(nonce=flipped(sealed.nonce)),
        sealed._replace(ciphertext=flipped(sealed.ciphertext)),
    ):
        with pytest.raises(SecretDamaged):
            keys.unseal(changed, ABOUT)


@pytest.mark.parametrize("cut", [b"", b"short"])
def test_what_was_cut_or_belongs_elsewhere_is_damage(cut: bytes) -> None:
    keys = MasterKeys([new_key()])
    sealed = keys.seal("secret", ABOUT)
    for changed in (sealed._replace(nonce=cut), sealed._replace(ciphertext=cut)):
        with pytest.raises(SecretDamaged):
            keys.unseal(changed, ABOUT)
    with pytest.raises(SecretDamaged):
        keys.unseal(sealed, b"groq, 1")


def test_no_two_encryptions_are_alike() -> None:
    keys = MasterKeys([new_key()])
    assert len({keys.seal("secret", ABOUT) for _ in range(50)}) == 50


def test_the_newest_key_encrypts_and_the_older_ones_decrypt() -> None:
    old, new = new_key(), new_key()
    sealed = MasterKeys([old]).seal("secret", ABOUT)
    both = MasterKeys([new, old])
    assert both.unseal(sealed, ABOUT) == "secret"
    assert both.seal("secret", ABOUT).master_key_id == both.newest == MasterKeys([new]).newest != sealed.master_key_id
    with pytest.raises(MasterKeyWrong, match=sealed.master_key_id) as raised:
        MasterKeys([new]).unseal(sealed, ABOUT)
    assert both.newest in str(raised.value)


def test_a_row_that_claims_another_master_key_is_damage() -> None:
    keys = MasterKeys([new_key(), new_key()])
    ours, theirs = keys.seal("a", ABOUT), MasterKeys([new_key()]).seal("a", ABOUT)
    with pytest.raises(SecretDamaged):
        keys.unseal(theirs._replace(master_key_id=ours.master_key_id), ABOUT)


def test_without_a_master_key_nothing_is_sealed_or_unsealed() -> None:
    sealed = MasterKeys([new_key()]).seal("secret", ABOUT)
    with pytest.raises(MasterKeyMissing):
        MasterKeys([]).unseal(sealed, ABOUT)
    with pytest.raises(MasterKeyMissing):
        MasterKeys([]).seal("secret", ABOUT)


def test_master_keys_show_in_no_text(tmp_path: Path) -> None:
    key = new_key()
    source = MasterKeySource(SecretStr(key.hex()), KeyFile(tmp_path / "master.key"))
    for found in (source, source.present(), vars(source)):
        assert key.hex() not in repr(found)
        assert repr(key) not in repr(found)


def test_keys_of_the_environment_go_before_those_of_the_file_which_still_decrypt(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "master.key")
    of_file = MasterKeySource(None, file).made()
    sealed = of_file.seal("secret", ABOUT)
    mine = new_key()
    source = MasterKeySource(SecretStr(f"{mine.hex()}, {new_key().hex()}"), file)
    assert source.fixed
    assert source.made().newest == MasterKeys([mine]).newest
    assert source.present().unseal(sealed, ABOUT) == "secret"
    before = file.read()
    source.renewed()
    source.forget_all_but(set())
    assert file.read() == before


@pytest.mark.parametrize("text", ["hello", "ab" * 31, f"{'ab' * 32},x"])
def test_a_master_key_in_the_environment_that_is_none_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(MasterKeyUnusable, match="SOUNDSTAGE_MASTER_KEY") as raised:
        MasterKeySource(SecretStr(text), KeyFile(tmp_path / "master.key")).present()
    assert text not in str(raised.value)


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    source = MasterKeySource(SecretStr(""), KeyFile(tmp_path / "master.key"))
    assert not source.fixed
    assert source.made()


def test_only_keys_that_are_of_no_use_any_more_are_given_up(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "master.key")
    source = MasterKeySource(None, file)
    first = source.made().newest
    source.renewed()
    newest = source.renewed().newest
    assert len(file.read()) == 3
    source.forget_all_but({first})
    left = [MasterKeys([key]).newest for key in file.read()]
    assert left == [newest, first]
    source.forget_all_but(set())
    assert [MasterKeys([key]).newest for key in file.read()] == [newest]
