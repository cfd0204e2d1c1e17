"""The engine's adapter: whatever docker-py and its transport raise becomes an error of ours."""

import contextlib
import gc
import inspect
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import docker.errors
import pytest
import requests.exceptions
import urllib3.exceptions
import urllib3.response

from domain.errors import EngineUnavailable, ImageMissing, InfrastructureError
from sandbox.engine import DockerEngine, engine_errors
from sandbox.stdio import HEADER, AttachedStream
from tests.sandbox.docker_place import DockerPlace
from tests.sandbox.played_engine import BROKEN_ANSWERS, UPGRADED, answer, played_engine


def exceptions_of(module: Any) -> list[type[Exception]]:
    """The exceptions that a module defines, without its warnings and what it only imports."""
    classes = [found for _, found in sorted(vars(module).items()) if inspect.isclass(found)]
    own = [found for found in classes if found.__module__ == module.__name__]
    return [found for found in own if issubclass(found, Exception) and not issubclass(found, Warning)]


SPECIAL: dict[type[Exception], tuple[object, ...]] = {
    requests.exceptions.JSONDecodeError: ("text", "document", 0),
    urllib3.exceptions.IncompleteRead: (0, 1),
    urllib3.exceptions.InvalidChunkLength: (urllib3.response.HTTPResponse(b""), b"x"),
}
"""What the constructors want that are not content with texts."""


def instance(kind: type[Exception]) -> Exception:
    """An exception of that class."""
    if kind in SPECIAL:
        return kind(*SPECIAL[kind])
    for count in range(6):
        with contextlib.suppress(TypeError, AttributeError):
            return kind(*["text"] * count)
    raise AssertionError(f"say in SPECIAL how to make a {kind.__name__}")


FOREIGN: dict[str, list[type[Exception]]] = {
    "docker": exceptions_of(docker.errors),
    "requests": exceptions_of(requests.exceptions),
    "urllib3": [kind for kind in exceptions_of(urllib3.exceptions) if issubclass(kind, urllib3.exceptions.HTTPError)],
    "Python": [ConnectionRefusedError, BrokenPipeError, FileNotFoundError, TimeoutError],
}
REMEDIES = ("make engine", "soundstage doctor", "soundstage images build", "docker pull")


@pytest.mark.parametrize("library", sorted(FOREIGN))
def test_every_exception_of_the_engines_client_becomes_ours_with_a_remedy(library: str) -> None:
    assert len(FOREIGN[library]) > 3
    escaped = []
    for kind in FOREIGN[library]:
        original = instance(kind)
        try:
            with engine_errors():
                raise original
        except Exception as error:  # noqa: BLE001 - what is not ours is the finding
            told = any(remedy in str(error) for remedy in REMEDIES)
            if not isinstance(error, InfrastructureError) or error.__cause__ is not original or not told:
                escaped.append(kind.__name__)

    assert escaped == []


@pytest.mark.parametrize(
    ("original", "ours"),
    [
        (docker.errors.ImageNotFound("x", explanation="no such image"), ImageMissing),
        (docker.errors.NotFound("x", explanation="no such container"), InfrastructureError),
        (docker.errors.APIError("x", explanation="server error"), InfrastructureError),
        (docker.errors.DockerException("x"), EngineUnavailable),
        (requests.exceptions.ConnectionError("x"), EngineUnavailable),
        (requests.exceptions.ReadTimeout("x"), EngineUnavailable),
        (FileNotFoundError(2, "No such file or directory"), EngineUnavailable),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_went_wrong_decides_what_a_person_should_do(original: Exception, ours: type[Exception]) -> None:
    with pytest.raises(InfrastructureError) as caught, engine_errors():
        raise original

    assert type(caught.value) is ours


@pytest.mark.parametrize("own", [ZeroDivisionError("x"), ImageMissing("x"), KeyError("x")], ids=type)
def test_an_exception_of_our_own_passes_as_it_is(own: Exception) -> None:
    with pytest.raises(type(own)) as caught, engine_errors():
        raise own

    assert caught.value is own


def test_a_long_cause_is_cut_and_the_innermost_one_is_told() -> None:
    with pytest.raises(EngineUnavailable) as caught, engine_errors():
        raise docker.errors.DockerException("x" * 1000 + "\nsecond line")
    assert len(str(caught.value)) < 300

    outer = docker.errors.DockerException("Error while fetching server API version")
    outer.__cause__ = ConnectionRefusedError(111, "Connection refused")
    with pytest.raises(EngineUnavailable, match="Connection refused"), engine_errors():
        raise outer


@pytest.mark.parametrize("name", sorted(BROKEN_ANSWERS))
async def test_an_engine_that_breaks_off_in_any_way_is_an_infrastructure_error(tmp_path: Path, name: str) -> None:
    escaped = []
    async with played_engine(tmp_path, BROKEN_ANSWERS[name]) as address:
        engine = DockerEngine(address)
        calls: dict[str, Awaitable[object]] = {
            "containers": engine.containers("label"),
            "ran_out_of_memory": engine.ran_out_of_memory("name", 0.0),
            "create": engine.create("name", {}),
            "start": engine.start("name"),
            "remove": engine.remove("name"),
            "runtimes": engine.runtimes(),
        }
        for call, answer in calls.items():
            try:
                await answer
            except InfrastructureError:
                continue
            except Exception as error:  # noqa: BLE001 - what is not ours is the finding
                escaped.append(f"{call}: {type(error).__module__}.{type(error).__name__}")
        await engine.close()
    gc.collect()

    assert escaped == []


async def test_what_a_program_says_together_with_the_answer_to_its_start_is_not_lost(tmp_path: Path) -> None:
    said = HEADER.pack(1, 4) + b"out\n"
    proper = {b"/containers/name/exec": answer(b'{"Id": "x"}'), b"/exec/x/start": UPGRADED + said}
    async with played_engine(tmp_path, b"", proper) as address:
        engine = DockerEngine(address)
        _, attached = await engine.execute("name", ("echo", "out"), {})
        stream = AttachedStream(*attached)
        await stream.open()
        assert [piece async for piece in stream.both()] == [("stdout", b"out\n")]
        await stream.close()
        await engine.close()


async def test_the_real_engine_tells_its_version_and_its_runtimes(place: DockerPlace) -> None:
    assert (await place.engine.version())[0].isdigit()
    assert "runc" in await place.engine.runtimes()


async def test_containers_are_listed_by_label_with_name_and_state(place: DockerPlace) -> None:
    async with place.lease():
        (found,) = [info for info in await place.engine.containers("soundstage") if info.id == place.mine()[0]["Id"]]

    assert found.name == f"soundstage-{found.labels['soundstage.lease']}"
    assert found.state == "running"


async def test_an_engine_can_be_used_again_after_it_was_closed(place: DockerPlace) -> None:
    await place.engine.version()
    await place.engine.close()
    await place.engine.close()

    assert await place.engine.version()
