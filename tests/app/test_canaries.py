"""Fake keys are planted in the environment and in the store; nothing of them may show anywhere but at the provider."""

import json
import tempfile
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.commands.keys import add_key
from app.execute import execute
from app.keys import key_rings, rings_at_home
from app.models import choose
from app.names import COMPATIBLE
from app.providers import provider_of
from app.settings import Settings
from app.store import open_store
from domain.chat import ModelRequest, UserMessage
from domain.errors import SoundstageError
from domain.redaction import Redactor
from gateway.base import Endpoint
from tests.app.canary import ANOTHER, CANARIES, KEPT, SET, leaks, leaks_on_disk, traces
from tests.app.conftest import Cli
from tests.app.echo_server import echoing, forms

DEMO = ("run", "Create a fibonacci function with tests")
MASTER = "0f" * 32


def plant(cli: Cli, secret: str, provider: str = COMPATIBLE) -> None:
    """Keeps a key, without asking its provider."""
    done = cli("keys", "add", provider, "--no-check", stdin=secret)
    assert done.returncode == 0, done.stderr
    assert not leaks(done.stdout + done.stderr)


@pytest.mark.parametrize("canary", CANARIES)
def test_the_search_finds_every_form_of_a_canary(canary: str) -> None:
    assert all(leaks(f"some text {form} more") for form in forms(canary))
    assert leaks(canary[10:19])
    assert not leaks(f"some text …{canary[-4:]} more sk-fake-")


@pytest.mark.usefixtures("docker_engine")
@pytest.mark.parametrize(
    ("canary", "status"), [(SET, 400), (SET, 401), (SET, 500), (KEPT, 401), (KEPT, 404), (KEPT, 429)]
)
def test_a_run_against_a_server_that_gives_keys_away_shows_none(cli: Cli, home: Path, status: int, canary: str) -> None:
    if canary == KEPT:
        plant(cli, KEPT)
    environment = {"OPENAI_API_KEY": f"{SET},{ANOTHER}"} if canary == SET else {}
    output = "--json" if status % 2 else "--max-steps=3"
    with echoing(status) as server:
        done = cli(*DEMO, output, OPENAI_BASE_URL=server.url, **environment)
    assert done.returncode != 0
    reached = {canary, ANOTHER} if (canary, status) == (SET, 401) else {canary}
    assert set(server.keys) == reached, "the key does reach the provider, and the next one where it is refused"
    shown = done.stdout + done.stderr + "".join(server.bodies)
    listed = cli("tasks", "list", "--json").stdout
    (task,) = map(json.loads, listed.splitlines())
    shown += listed + cli("tasks", "events", task["id"], "--json").stdout + cli("tasks", "show", task["id"]).stdout
    assert not leaks(shown)
    assert not leaks_on_disk(home)
    assert "Traceback" not in shown


def test_doctor_and_the_keys_commands_show_no_key(cli: Cli, home: Path, tmp_path: Path) -> None:
    plant(cli, KEPT)
    environment = {"OPENAI_API_KEY": SET, "GROQ_API_KEY": f"{ANOTHER},{SET}", "SOUNDSTAGE_MASTER_KEY": ""}
    commands = [
        ("doctor",), ("doctor", "--json"), ("keys", "list"), ("keys", "list", "--json"),
        ("keys", "check", COMPATIBLE), ("keys", "check", COMPATIBLE, "--json"), ("keys", "rotate"),
        ("keys", "remove", SET), ("keys", "remove", KEPT), ("keys", "add", SET), ("keys", "add", "openai", SET),
        ("keys", "add", "openai", f"--key={SET}"), ("keys", "add", f"--no-check={SET}", "openai"),
        ("keys", "check", SET),
    ]  # fmt: skip
    with echoing(401, listing=401) as server:
        ran = [cli(*command, OPENAI_BASE_URL=server.url, **environment) for command in commands]
    assert set(server.keys) >= {SET, KEPT}
    assert not leaks("".join(done.stdout + done.stderr for done in ran))
    assert not leaks_on_disk(home)


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_key_that_the_provider_refuses_with_an_echo_is_neither_kept_nor_shown(
    cli: Cli, home: Path, status: int
) -> None:
    with echoing(listing=status) as server:
        done = cli("keys", "add", COMPATIBLE, stdin=SET, OPENAI_BASE_URL=server.url)
    assert done.returncode == 3
    assert server.keys == [SET]
    assert not leaks(done.stdout + done.stderr)
    assert cli("keys", "list", "--json").stdout == ""
    assert not leaks_on_disk(home)


@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY", "SOUNDSTAGE_MASTER_KEY"])
def test_a_key_that_is_none_is_named_by_its_variable_and_not_repeated(cli: Cli, variable: str) -> None:
    plant(cli, KEPT)
    for command in (("keys", "list"), ("keys", "check"), ("keys", "rotate")):
        done = cli(*command, **{variable: f"{SET} {ANOTHER}"})
        assert not leaks(done.stdout + done.stderr)
        assert done.returncode == 0 or variable in done.stderr + done.stdout


async def test_no_object_that_holds_a_key_shows_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{SET},{ANOTHER}")
    monkeypatch.setenv("GROQ_API_KEY", SET)
    monkeypatch.setenv("SOUNDSTAGE_MASTER_KEY", MASTER)
    settings = Settings()
    await add_key(settings, "openai", SecretStr(KEPT), "", None)
    models = await choose(settings, None)
    async with open_store(settings) as store:
        rings = await key_rings(settings, store.keys)
        ring = rings["openai"]
        made = [models, models.first, models.upstreams[0]]
        held = [settings, settings.known_secrets, *made, store, store.keys, rings, ring, ring.next("m")]
        held += [ring.next("m").key, ring.states("m"), Redactor(settings.known_secrets), await store.keys.opened()]
        held += [await store.keys.known(), Endpoint(name="x", base_url="http://x", api_key=ring.next("m").key.secret)]
        held += [vars(one) for one in (*made, store.keys, store.keys._master, ring, settings)]
        for one in held:
            assert not leaks(repr(one)), type(one)
            assert MASTER not in repr(one), type(one)
    assert len(ring.states("m")) == 3
    await models.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 529])
async def test_an_error_of_a_provider_and_what_it_came_from_hold_no_key(status: int) -> None:
    request = ModelRequest(model="m", messages=(UserMessage(content="hello"),))
    with echoing(status, listing=status) as server:
        provider = provider_of("openai", Endpoint(name="openai", base_url=server.url, api_key=SecretStr(SET)))
        for ask in (lambda: anext(provider.stream(request)), provider.models):
            with pytest.raises(SoundstageError) as raised:
                await ask()
            shown = "".join(traceback.format_exception(raised.value))
            cause: BaseException | None = raised.value
            while cause is not None:
                shown += repr(cause) + str(cause) + str(vars(cause).get("body"))
                cause = cause.__cause__ or cause.__context__
            assert not leaks(shown)
        await provider.close()
    assert set(server.keys) == {SET}


async def test_a_prompt_that_holds_a_key_reaches_no_provider_with_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{SET},{ANOTHER}")
    settings = Settings()
    await add_key(settings, "groq", SecretStr(KEPT), "", None)
    again = Settings()
    await rings_at_home(again)
    text = "\n".join(form for canary in CANARIES for form in forms(canary))
    request = ModelRequest(model="m", messages=(UserMessage(content=text),))
    with echoing(500) as server:
        provider = provider_of("openai", Endpoint(name="openai", base_url=server.url, api_key=SecretStr(SET)))
        for sent in (request, Redactor(again.known_secrets).request(request)):
            with pytest.raises(SoundstageError):
                await anext(provider.stream(sent))
        await provider.close()
    careless, redacted = server.bodies
    assert all(any(trace in careless for trace in traces(canary)) for canary in CANARIES)
    assert not leaks(redacted)


@pytest.mark.parametrize("kept", [False, True])
def test_the_report_of_a_bug_and_a_message_hold_no_key(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, kept: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if not kept:
        monkeypatch.setenv("GROQ_API_KEY", KEPT)

    async def keep(settings: Settings) -> None:
        await add_key(settings, "groq", SecretStr(KEPT), "", None)

    def work(error: type[Exception]) -> int:
        async def fail(settings: Settings) -> None:
            await rings_at_home(settings)
            raise error("; ".join(forms(KEPT)))

        return execute(fail)

    if kept:
        assert execute(keep) == 0
    assert work(ZeroDivisionError) == 1
    assert work(SoundstageError) == 1
    shown = capsys.readouterr().err
    (saved,) = tmp_path.glob("soundstage-error-*.txt")
    assert "ZeroDivisionError" in saved.read_text()
    assert not leaks(saved.read_text() + shown)
