"""What every model promises: the scripted one, the one over the wire, and recorded and replayed ones alike."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.cassettes.cassette import read
from app.cassettes.playback import Playback
from app.cassettes.player import Player
from app.cassettes.recorder import Recorder
from app.cassettes.tape import Tape
from domain.chat import Delta, FinishReason, ModelReply, ModelRequest, UserMessage
from domain.errors import ModelRequestRejected
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Endpoint, Provider
from gateway.scripted import Line, Scene, ScriptedProvider
from tests.wire.openai_dialect import OpenAIServer
from tests.wire.replies import Json, Refuse, Reply, Say

TEXT = "Some words, n\u00e4mlich \u6f22\u5b57, and a call."
CALLS = (("shell", '{"script": "make"}'), ("read", "{broken"))


def answer(body: Json) -> Reply:
    heard = body["messages"][-1]["content"]
    return Say(TEXT, calls=CALLS) if heard == "call" else Say(TEXT) if heard == "talk" else Refuse(400, "no")


@pytest.fixture(params=["scripted", "openai", "recorded", "replayed"])
async def model(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Provider]:
    calling, talking = Line(text=TEXT, calls=CALLS), Line(text=TEXT)
    scenes = (Scene(when=("call",), lines=(calling,)), Scene(when=("talk",), lines=(talking,)))
    async with OpenAIServer(answer, models=["scripted"]) as server:
        config = Endpoint(name="openai", base_url=server.url, api_key=SecretStr("k"))
        made: Provider = ScriptedProvider(scenes) if request.param == "scripted" else OpenAIProvider(config)
        if request.param in {"recorded", "replayed"}:
            made = await _recording(made, tmp_path / "talk.jsonl", ask=request.param == "replayed")
        if request.param == "replayed":
            await made.close()
            made = Player("openai", Playback(tmp_path / "talk.jsonl", read(tmp_path / "talk.jsonl")))
        yield made
        await made.close()


async def _recording(provider: Provider, path: Path, ask: bool) -> Provider:
    tape = Tape(path, [])
    recorder = Recorder(provider, tape)
    await tape.start("scripted")
    for said in ("call", "talk", "sing") * 2 if ask else ():
        with contextlib.suppress(ModelRequestRejected):
            async for _piece in recorder.stream(request(said)):
                pass
    return recorder


def request(text: str) -> ModelRequest:
    return ModelRequest(model="scripted", messages=(UserMessage(content=text),))


@pytest.mark.parametrize(("text", "calls", "finish"), [("talk", (), "stop"), ("call", CALLS, "tool_calls")])
async def test_a_model_gives_pieces_and_then_one_reply_that_they_make_up(
    model: Provider, text: str, calls: tuple[tuple[str, str], ...], finish: str
) -> None:
    *deltas, reply = [piece async for piece in model.stream(request(text))]

    assert isinstance(reply, ModelReply)
    assert deltas
    assert "".join(piece.text for piece in deltas if isinstance(piece, Delta)) == TEXT == reply.message.content
    assert tuple((call.name, call.arguments) for call in reply.message.tool_calls) == calls
    assert reply.finish_reason is FinishReason(finish)
    assert reply.usage.total_tokens > 0


async def test_a_request_that_it_cannot_serve_is_refused_and_the_next_one_served(model: Provider) -> None:
    with pytest.raises(ModelRequestRejected):
        async for _piece in model.stream(request("sing")):
            pass

    assert isinstance([piece async for piece in model.stream(request("talk"))][-1], ModelReply)


async def test_a_stream_can_be_left_in_the_middle(model: Provider) -> None:
    stream = model.stream(request("talk"))
    assert isinstance(await anext(stream), Delta)
    await stream.aclose()

    assert isinstance([piece async for piece in model.stream(request("talk"))][-1], ModelReply)


async def test_a_model_has_a_provider_and_lists_its_ids_and_can_be_closed_twice(model: Provider) -> None:
    assert model.name
    assert await model.models() == ["scripted"]
    await model.close()
