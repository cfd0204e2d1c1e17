"""Recording exchanges in a cassette, and replaying them."""

import asyncio
import inspect
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from pydantic import SecretStr

import domain.errors
from app.cassettes.cassette import Cassette, Embedding, Fault, Head, Talk, read
from app.cassettes.playback import Playback
from app.cassettes.player import Player
from app.cassettes.recorder import Recorder
from app.cassettes.tape import Tape
from domain.chat import (
    AssistantMessage,
    Delta,
    EmbeddingReply,
    EmbeddingRequest,
    FinishReason,
    ModelReply,
    ModelRequest,
    Usage,
    UserMessage,
)
from domain.errors import (
    InvalidRecording,
    ModelOverloaded,
    ModelProtocolError,
    ModelRequestRejected,
    ModelUnavailable,
    NotRecorded,
    OutputRefused,
    SoundstageError,
)
from gateway.base import Provider
from gateway.scripted import Line, Scene, ScriptedProvider
from tests.gateway import virtual_time
from tests.gateway.house import Voice

SCENES = (
    Scene(when=("call",), lines=(Line(text="Well.", calls=(("shell", '{"a": 1}'),)), Line(text="Done."))),
    Scene(when=("talk",), lines=(Line(text="Some words."),)),
)
KEY = "sk-very-secret"


def asking(said: str) -> ModelRequest:
    return ModelRequest(model="m", messages=(UserMessage(content=said),))


def taped(*exchanges: Talk | Embedding) -> Cassette:
    return Cassette(head=Head(route="m", providers={"p": 1}), exchanges=exchanges)


async def recording(path: Path, provider: Provider | None = None) -> Recorder:
    tape = Tape(path, [SecretStr(KEY)])
    recorder = Recorder(provider or ScriptedProvider(SCENES), tape)
    await tape.start("m")
    return recorder


def playing(path: Path, provider: str = "scripted") -> Player:
    return Player(provider, Playback(path, read(path)))


async def heard(provider: Provider, request: ModelRequest) -> list[Delta | ModelReply]:
    return [piece async for piece in provider.stream(request)]


class Talker(ScriptedProvider):
    """Says these pieces, and then ends with a reply or an error."""

    def __init__(self, *pieces: str, end: SoundstageError | None = None) -> None:
        super().__init__(())
        self._pieces = pieces
        self._end = end
        self.left = False

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        try:
            for piece in self._pieces:
                yield Delta(text=piece)
            if self._end is not None:
                raise self._end
            message = AssistantMessage(content="".join(self._pieces))
            yield ModelReply(message=message, usage=Usage(), finish_reason=FinishReason.STOP)
        finally:
            self.left = True

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        return EmbeddingReply(vectors=tuple((0.5, -1.0) for _ in request.texts), usage=Usage(input_tokens=3))


async def test_what_was_recorded_is_replayed_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    recorder = await recording(path)
    first = await heard(recorder, asking("call"))
    second = await recorder.complete(asking("talk"))

    player = playing(path)
    assert await player.complete(asking("talk")) == second
    assert await heard(player, asking("call")) == first
    assert await player.models() == ["m"]


async def test_vectors_are_recorded_too(tmp_path: Path) -> None:
    request = EmbeddingRequest(model="e", texts=("a", "b"))
    recorder = await recording(tmp_path / "v.jsonl", Talker())
    reply = await recorder.embed(request)
    assert await playing(tmp_path / "v.jsonl").embed(request) == reply


async def test_equal_requests_get_their_replies_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    faults = (ModelOverloaded("slow down", retry_after_s=0.25), None, ModelProtocolError("garbled"))
    recorder = await recording(path, ScriptedProvider(SCENES, faults=faults))
    with pytest.raises(ModelOverloaded):
        await heard(recorder, asking("talk"))
    await heard(recorder, asking("talk"))
    with pytest.raises(ModelProtocolError):
        await recorder.complete(asking("talk"))

    player = playing(path)
    with pytest.raises(ModelOverloaded, match="slow down") as fault:
        await player.complete(asking("talk"))
    assert fault.value.retry_after_s == 0.25
    assert (await player.complete(asking("talk"))).message.content == "Some words."
    with pytest.raises(ModelProtocolError, match="garbled"):
        await player.complete(asking("talk"))


async def test_an_error_in_the_middle_comes_after_the_same_pieces(tmp_path: Path) -> None:
    path = tmp_path / "cut.jsonl"
    recorder = await recording(path, Talker("one ", "two", end=ModelOverloaded()))
    with pytest.raises(ModelOverloaded):
        await heard(recorder, asking("count"))
    stream = playing(path).stream(asking("count"))
    assert [(await anext(stream)), (await anext(stream))] == [Delta(text="one "), Delta(text="two")]
    with pytest.raises(ModelOverloaded):
        await anext(stream)


async def test_an_exchange_that_was_left_in_the_middle_is_not_recorded_and_its_stream_is_closed(tmp_path: Path) -> None:
    talker = Talker("one ", "two")
    recorder = await recording(tmp_path / "left.jsonl", talker)
    stream = recorder.stream(asking("count"))
    await anext(stream)
    await stream.aclose()
    assert talker.left
    assert read(tmp_path / "left.jsonl").exchanges == ()


async def test_a_reply_is_on_the_disk_before_anybody_has_it(tmp_path: Path) -> None:
    recorder = await recording(tmp_path / "talk.jsonl")
    async for piece in recorder.stream(asking("talk")):
        if isinstance(piece, ModelReply):
            assert [exchange.reply for exchange in read(tmp_path / "talk.jsonl").exchanges] == [piece]


async def test_exchanges_at_the_same_time_get_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    recorder = await recording(path)
    await asyncio.gather(*(recorder.complete(asking(f"talk {number} {'x' * 100_000}")) for number in range(20)))
    assert len(read(path).exchanges) == 20


@pytest.mark.parametrize("pieces", [(f"It is {KEY}.",), ("It is sk-very", "-secret."), tuple(f"It is {KEY}.")])
async def test_no_secret_is_recorded_however_it_comes_in_pieces(tmp_path: Path, pieces: tuple[str, ...]) -> None:
    path = tmp_path / "secret.jsonl"
    recorder = await recording(path, Talker(*pieces))
    live = await heard(recorder, asking(f"Is it {KEY}?"))
    assert isinstance(live[-1], ModelReply)
    assert KEY in live[-1].message.content
    (exchange,) = read(path).exchanges
    assert isinstance(exchange, Talk)
    assert KEY not in path.read_text()
    assert "".join(piece.text for _, piece in exchange.pieces) == "It is [key]."


async def test_no_secret_is_recorded_in_an_error(tmp_path: Path) -> None:
    recorder = await recording(tmp_path / "e.jsonl", Talker(end=ModelRequestRejected(f"bad key {KEY}")))
    with pytest.raises(ModelRequestRejected):
        await heard(recorder, asking("talk"))
    assert KEY not in (tmp_path / "e.jsonl").read_text()


async def test_the_file_is_for_its_owner_only_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await recording(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"soundstage_cassette": 2, "route": "m", "providers": {"scripted": 1}}
    with pytest.raises(OutputRefused, match="Name a new file"):
        await recording(path)
    with pytest.raises(OutputRefused):
        await recording(tmp_path / "nowhere" / "talk.jsonl")


async def test_a_run_whose_recording_cannot_go_on_does_not_go_on(tmp_path: Path) -> None:
    recorder = await recording(tmp_path / "talk.jsonl")
    (tmp_path / "talk.jsonl").unlink()
    with pytest.raises(OutputRefused, match="cannot be recorded in"):
        await recorder.complete(asking("talk"))


async def test_a_recorder_is_the_provider_that_it_records(tmp_path: Path) -> None:
    scripted = ScriptedProvider(SCENES, announcement="canned")
    recorder = await recording(tmp_path / "talk.jsonl", scripted)
    assert (recorder.name, recorder.local, recorder.announcement) == ("scripted", True, "canned")
    assert await recorder.models() == ["scripted"]
    await recorder.close()


async def test_a_last_line_that_a_crash_tore_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    recorder = await recording(path)
    await recorder.complete(asking("call"))
    await recorder.complete(asking("talk"))
    whole = path.read_bytes()
    second = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(second, len(whole) - 1, 50):
        path.write_bytes(whole[:cut])
        assert len(read(path).exchanges) == 1
    path.write_bytes(whole[:-1])
    assert len(read(path).exchanges) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no recording"),
        (b"hello\n", "is no recording"),
        (b"[]\n", "is no recording"),
        (b"{}\n", "is no recording"),
        (b"\xff\xfe\n", "is no recording"),
        (b'{"soundstage_cassette": 1}\n', "is no recording"),
        (b'{"soundstage_cassette": 2, "provider": "p"}\n', "is no recording"),
        (b'{"soundstage_cassette": 2, "route": "m", "providers": {"p": 0}}\n', "is no recording"),
        (b'{"soundstage_cassette": 3, "later": true}\n', "A newer Soundstage"),
        (b'{"soundstage_cassette": 1, "provider": "p"}\n{"request"\n{}\n', "Line 2 of"),
        (b'{"soundstage_cassette": 1, "provider": "p"}\n{"request": {"model": "m"}}\n', "Line 2 of"),
        (b'{"soundstage_cassette": 1, "provider": "p"}\n\xff\n', "Line 2 of"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_the_place_of_the_fault(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InvalidRecording, match=reason):
        read(tmp_path / "x")


def test_a_file_that_is_not_there_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecording, match="No such file"):
        read(tmp_path / "x")


FIRST_VERSION = """\
{"soundstage_cassette": 1, "provider": "openai"}
{"request": {"model": "m", "messages": [{"role": "user", "content": "talk", "images": []}], "tools": [], "json_schema":\
 null, "max_output_tokens": 4096, "temperature": null}, "pieces": [[0.1, {"text": "Hi.", "reasoning": ""}]], "reply": \
{"message": {"role": "assistant", "content": "Hi.", "tool_calls": []}, "usage": {}, "finish_reason": "stop"}, "fault": \
null, "seconds": 0.2}
{"request": {"model": "e", "texts": ["a"]}, "pieces": [], "reply": {"vectors": [[0.5]], "usage": {}}, "fault": null, \
"seconds": 0.1}
"""


async def test_a_recording_of_the_first_version_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text(FIRST_VERSION)
    assert read(path).head == Head(route="m", providers={"openai": 1})
    player = playing(path, "openai")
    assert (await player.complete(asking("talk"))).message.content == "Hi."
    assert (await player.embed(EmbeddingRequest(model="e", texts=("a",)))).vectors == ((0.5,),)


async def test_several_providers_are_on_one_tape_and_each_says_again_what_it_said(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    tape = Tape(path, [])
    first, other = Recorder(Voice("first", ModelOverloaded("busy")), tape), Recorder(Voice("second"), tape)
    Recorder(Voice("second"), tape)
    await tape.start("first/m,second/m")
    with pytest.raises(ModelOverloaded):
        await first.complete(asking("who?"))
    await other.complete(asking("who?"))
    await first.complete(asking("and you?"))

    assert read(path).head == Head(route="first/m,second/m", providers={"first": 1, "second": 2})
    playback = Playback(path, read(path))
    players = Player("first", playback), Player("second", playback)
    assert [player.name for player in players] == ["replay-first", "replay-second"]
    assert (await players[1].complete(asking("who?"))).message.content == "I am second"
    with pytest.raises(ModelOverloaded, match="busy"):
        await players[0].complete(asking("who?"))


async def test_another_model_answers_again_where_time_has_chosen_otherwise_and_never_hands_on_its_faults(
    tmp_path: Path,
) -> None:
    path = tmp_path / "two.jsonl"
    tape = Tape(path, [])
    first, other = Recorder(Voice("first", ModelOverloaded("busy")), tape), Recorder(Voice("second"), tape)
    await tape.start("first/m,second/n")
    with pytest.raises(ModelOverloaded):
        await first.complete(asking("who?"))
    await other.complete(asking("what?").model_copy(update={"model": "n"}))

    playback = Playback(path, read(path))
    assert (await Player("first", playback).complete(asking("what?"))).message.content == "I am second"
    with pytest.raises(NotRecorded):
        await Player("second", playback).complete(asking("who?"))


async def test_a_request_that_was_never_recorded_fails_with_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    recorder = await recording(path)
    await recorder.complete(asking("call"))
    await recorder.complete(asking("talk about apples"))
    player = playing(path)
    with pytest.raises(NotRecorded) as error:
        await player.complete(asking("talk about pears"))
    told = str(error.value)
    assert "to m: 1 messages, the last one 'talk about pears'" in told
    assert "The nearest is exchange 2 (to m: 1 messages, the last one 'talk about apples')" in told
    assert "messages[0].content at character 11: recorded 'talk about apples', asked 'talk about pears'" in told
    assert error.value.exit_code == 3


async def test_a_request_that_comes_more_often_than_it_was_recorded_fails(tmp_path: Path) -> None:
    exchange = Talk(provider="p", request=asking("talk"), fault=Fault.of(ModelOverloaded()))
    player = Player("p", Playback(tmp_path, taped(exchange)))
    with pytest.raises(ModelOverloaded):
        await player.complete(asking("talk"))
    with pytest.raises(NotRecorded, match="recorded 1 times, and now it came once more"):
        await player.complete(asking("talk"))


async def test_an_empty_recording_has_no_nearest_request() -> None:
    with pytest.raises(NotRecorded, match="Nothing at all was recorded"):
        await Player("p", Playback(Path("empty"), taped())).embed(EmbeddingRequest(model="e", texts=("a",)))


def test_a_replay_takes_the_time_that_it_took_where_that_is_asked_for() -> None:
    reply = ModelReply(message=AssistantMessage(content="ab"), usage=Usage(), finish_reason=FinishReason.STOP)
    pieces = ((1.0, Delta(text="a")), (4.0, Delta(text="b")))
    exchange = Talk(provider="p", request=asking("talk"), pieces=pieces, reply=reply, seconds=6.0)

    async def times(pace: float) -> list[float]:
        clock = asyncio.get_running_loop().time
        player = Player("p", Playback(Path("x"), taped(exchange)), pace)
        return [clock() async for _ in player.stream(asking("talk"))]

    assert virtual_time.run(times(1.0)) == pytest.approx([1.0, 4.0, 6.0])
    assert virtual_time.run(times(0.5)) == pytest.approx([0.5, 2.0, 3.0])
    assert virtual_time.run(times(0.0)) == [0.0, 0.0, 0.0]


def test_every_error_comes_back_as_it_was() -> None:
    classes = [kind for _, kind in inspect.getmembers(domain.errors, inspect.isclass)]
    for kind in classes:
        if issubclass(kind, SoundstageError):
            restored = Fault.of(kind("what happened")).restored()
            assert (type(restored), str(restored)) == (kind, "what happened")


@pytest.mark.parametrize("kind", ["Gone", "Literal", "ClassVar", "__name__"])
def test_an_error_of_another_version_is_an_unavailable_model(kind: str) -> None:
    assert type(Fault(kind=kind, message="?").restored()) is ModelUnavailable
