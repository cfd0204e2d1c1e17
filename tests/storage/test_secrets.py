import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.errors import Conflict, MasterKeyMissing, MasterKeyWrong, SecretDamaged, UnknownKey
from domain.secrets import KeyStore, ProviderKey
from storage.database import Database
from storage.key_file import KeyFile, new_key
from storage.master_keys import MasterKeySource
from storage.secrets import SqlKeyStore
from storage.writer import Writer
from tests.storage.key_rotation import CANARIES, POINTS

CANARY = CANARIES[0]


@pytest.fixture
def file(database: Database) -> KeyFile:
    return KeyFile(database.path.with_name("master.key"))


@pytest.fixture
def keys(database: Database, writer: Writer, file: KeyFile) -> KeyStore:
    return SqlKeyStore(database, writer, MasterKeySource(None, file))


def key(number: int, provider: str = "openai") -> ProviderKey:
    return ProviderKey(
        id=f"{number:012x}", provider=provider, secret=SecretStr(CANARIES[number]), label=f"no. {number}"
    )


async def secrets(keys: KeyStore, provider: str | None = None) -> list[str]:
    return [found.secret.get_secret_value() for found in await keys.opened(provider)]


def on_disk(database: Database) -> bytes:
    return b"".join(path.read_bytes() for path in database.path.parent.iterdir())


async def test_a_key_is_kept_and_found_again_without_standing_on_the_disk(keys: KeyStore, database: Database) -> None:
    kept = await keys.add(key(0))
    assert (kept.provider, kept.label, kept.last4) == ("openai", "no. 0", CANARY[-4:])
    assert await keys.known() == (kept,)
    (found,) = await keys.opened()
    assert (found.id, found.source) == (kept.id, "stored")
    assert found.secret.get_secret_value() == CANARY
    assert CANARY.encode() not in on_disk(database)
    assert CANARY not in repr((kept, found, keys))


async def test_keys_are_found_by_provider_in_the_order_in_which_they_came(keys: KeyStore) -> None:
    for number, provider in ((2, "groq"), (0, "openai"), (1, "groq")):
        await keys.add(key(number, provider))
    assert await secrets(keys, "groq") == [CANARIES[2], CANARIES[1]]
    assert await secrets(keys) == [CANARIES[2], CANARIES[0], CANARIES[1]]
    assert await secrets(keys, "mistral") == []


async def test_a_key_is_kept_once(keys: KeyStore) -> None:
    await keys.add(key(0))
    with pytest.raises(Conflict, match="Remove it first"):
        await keys.add(key(0))
    assert await secrets(keys) == [CANARY]


async def test_a_key_is_removed_by_the_beginning_of_its_id_and_only_when_that_is_one(keys: KeyStore) -> None:
    await keys.add(key(0))
    await keys.add(key(1))
    for wrong in ("", "00000000000", "f", CANARY):
        with pytest.raises(UnknownKey) as raised:
            await keys.remove(wrong)
        assert CANARY not in str(raised.value)
    assert (await keys.remove("000000000001")).id == key(1).id
    assert await secrets(keys) == [CANARY]


async def test_a_lost_master_key_is_not_replaced_silently_and_its_keys_can_be_removed(
    keys: KeyStore, file: KeyFile
) -> None:
    await keys.add(key(0))
    (lost,) = file.read()
    file.path.unlink()
    for attempt in (keys.opened(), keys.add(key(1)), keys.rotate()):
        with pytest.raises(MasterKeyMissing, match=r"Restore master\.key"):
            await attempt
    assert not file.path.exists()
    file.replace([lost])
    assert await secrets(keys) == [CANARY]
    file.path.unlink()
    await keys.remove(key(0).id)
    await keys.add(key(1))
    assert await secrets(keys) == [CANARIES[1]]


async def test_with_another_master_key_nothing_is_read_or_changed(
    keys: KeyStore, file: KeyFile, database: Database
) -> None:
    await keys.add(key(0))
    kept = file.read()
    file.replace([new_key()])
    for attempt in (keys.opened(), keys.rotate()):
        with pytest.raises(MasterKeyWrong, match=r"Restore that one|soundstage keys remove"):
            await attempt
    assert len(file.read()) == 1, "a rotation that cannot be done makes no key"
    file.replace(kept)
    assert await secrets(keys) == [CANARY]


CHANGES = (
    "UPDATE provider_key SET provider = 'groq' WHERE id LIKE '%0'",
    "UPDATE provider_key SET ciphertext = x'00' || substr(ciphertext, 2) WHERE id LIKE '%0'",
    "UPDATE provider_key SET ciphertext = substr(ciphertext, 2) WHERE id LIKE '%0'",
    "UPDATE provider_key SET nonce = zeroblob(12) WHERE id LIKE '%0'",
    "UPDATE provider_key SET nonce = x'' WHERE id LIKE '%0'",
    "UPDATE provider_key SET nonce = 'a text' WHERE id LIKE '%0'",
    "UPDATE provider_key SET ciphertext = 12 WHERE id LIKE '%0'",
    "UPDATE provider_key SET (nonce, ciphertext) = (SELECT nonce, ciphertext FROM provider_key WHERE id LIKE '%1')",
)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_row_that_somebody_changed_is_refused_by_its_id_with_the_remedy(
    keys: KeyStore, stranger: sqlite3.Connection, change: str
) -> None:
    await keys.add(key(0))
    await keys.add(key(1))
    stranger.execute(change)
    for attempt in (keys.opened(), keys.rotate()):
        with pytest.raises(SecretDamaged, match=f"soundstage keys remove {key(0).id}") as raised:
            await attempt
        assert CANARY not in str(raised.value)
    await keys.remove(key(0).id)
    assert await secrets(keys) == [CANARIES[1]]


async def test_a_damaged_key_of_one_provider_is_no_matter_for_another(
    keys: KeyStore, stranger: sqlite3.Connection
) -> None:
    await keys.add(key(0, "groq"))
    await keys.add(key(1, "openai"))
    stranger.execute("UPDATE provider_key SET nonce = zeroblob(12) WHERE provider = 'groq'")
    assert await secrets(keys, "openai") == [CANARIES[1]]


async def test_a_rotation_encrypts_every_key_anew_and_gives_the_old_master_key_up(
    keys: KeyStore, file: KeyFile, stranger: sqlite3.Connection
) -> None:
    for number in range(5):
        await keys.add(key(number))
    before = stranger.execute("SELECT master_key_id, nonce, ciphertext FROM provider_key ORDER BY id").fetchall()
    old = file.read()
    done = await keys.rotate()
    after = stranger.execute("SELECT master_key_id, nonce, ciphertext FROM provider_key ORDER BY id").fetchall()
    assert (done.changed, done.total) == (5, 5)
    assert {row["master_key_id"] for row in after} == {done.master_key_id} != {row["master_key_id"] for row in before}
    assert not {bytes(row["ciphertext"]) for row in before} & {bytes(row["ciphertext"]) for row in after}
    assert len(file.read()) == 1
    assert file.read() != old
    assert await secrets(keys) == list(CANARIES[:5])


async def test_a_rotation_to_a_new_key_of_the_environment_leaves_the_rest_to_its_owner(
    database: Database, writer: Writer, keys: KeyStore, file: KeyFile
) -> None:
    first, second = new_key().hex(), new_key().hex()
    await keys.add(key(0))

    def store(text: str) -> SqlKeyStore:
        return SqlKeyStore(database, writer, MasterKeySource(SecretStr(text), file))

    assert (await store(first).rotate()).changed == 1
    file.path.unlink()
    assert await secrets(store(first)) == [CANARY]
    assert (await store(first).rotate()).changed == 0
    assert (await store(f"{second},{first}").rotate()).changed == 1
    assert await secrets(store(second)) == [CANARY]
    with pytest.raises(MasterKeyWrong):
        await store(first).opened()
    assert not file.path.exists()


@pytest.mark.parametrize("point", POINTS)
async def test_a_rotation_that_is_killed_leaves_every_key_readable(
    database: Database, keys: KeyStore, file: KeyFile, point: str
) -> None:
    for number in range(4):
        await keys.add(key(number))
    command = [sys.executable, "-m", "tests.storage.key_rotation", str(database.path), point]
    done = await asyncio.to_thread(subprocess.run, command, check=False)
    assert done.returncode == -9
    assert sorted(await secrets(keys)) == sorted(CANARIES[:4])
    assert (await keys.rotate()).total == 4
    assert sorted(await secrets(keys)) == sorted(CANARIES[:4])
    assert len(file.read()) == 1
    assert [path for path in file.path.parent.iterdir() if "master" in path.name] == [file.path]


async def test_keys_that_are_added_while_others_rotate_are_all_readable_afterwards(
    database: Database, keys: KeyStore, file: KeyFile
) -> None:
    await keys.add(key(0))
    command = [sys.executable, "-m", "tests.storage.key_rotation", str(database.path)]
    jobs = [["rotations"], ["rotations"], ["additions", "1", "4"], ["additions", "4", "7"]]
    running = [await asyncio.create_subprocess_exec(*command, *job) for job in jobs]
    ended = [await process.wait() for process in running]
    assert ended == [0, 0, 0, 0]
    assert sorted(await secrets(keys)) == sorted(CANARIES[:7])
    await keys.rotate()
    assert len(file.read()) == 1
    assert sorted(await secrets(keys)) == sorted(CANARIES[:7])


async def test_ledger_rows_of_an_older_schema_get_the_new_columns(tmp_path: Path) -> None:
    database = Database(tmp_path / "soundstage.db")
    await database.prepare()
    with sqlite3.connect(database.path) as connection:
        connection.executescript(
            "DROP TABLE audit; DROP TABLE reply_cache; DROP TABLE provider_key;"
            "ALTER TABLE ledger DROP COLUMN key_id; ALTER TABLE ledger DROP COLUMN cache_hit;"
            "ALTER TABLE ledger DROP COLUMN cache_write_tokens;"
            "UPDATE alembic_version SET version_num = '0001';"
            "INSERT INTO ledger (attempt_id, owner, task_id, subtask_id, specialist, purpose, provider, model, outcome,"
            " input_tokens, cached_tokens, output_tokens, reasoning_tokens, estimated, priced, latency_s, error,"
            " settled_at, cost)"
            " VALUES ('a', 'local', 't', 's', '', '', 'p', 'm', 'ok', 1, 2, 3, 4, 0, 1, 0.5, '', 'x', 9)"
        )
    await database.prepare()
    found = connection.execute("SELECT cost, cache_hit, key_id, cache_write_tokens FROM ledger").fetchall()
    connection.close()
    await database.close()
    assert found == [(9, 0, "", 0)]
