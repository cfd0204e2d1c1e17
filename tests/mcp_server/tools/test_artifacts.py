"""Paging long answers and kept files."""

from pathlib import Path

from app.settings import Settings
from app.store import open_store
from domain.events import ArtifactsKept, TaskSubmitted
from domain.files import File, TreeChange
from domain.task import TaskSpec
from mcp_server.kept_files import KeptFiles
from mcp_server.tools import Means, specialist_tools
from tests.mcp_server.place import Place, open_place


async def pages(place: Place, name: str) -> list[str]:
    """Every line of an artifact, read page by page."""
    lines: list[str] = []
    more = True
    while more:
        observation = await place.call("read_artifact", id=name, start=len(lines) + 1)
        assert observation.ok, observation.text
        shown, _, hint = observation.text.partition("\n[")
        assert "characters left out" not in observation.text
        lines += [line.partition("\t")[2] for line in shown.split("\n")]
        more = "more lines; go on with start=" in hint
    return lines


async def test_an_answer_that_was_cut_is_paged_to_its_end(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        cut = await place.call("shell", command="seq 20000")
        assert "read_artifact(id='answer-1')" in cut.text
        assert await pages(place, "answer-1") == [*map(str, range(1, 20001)), "[Exit code 0.]"]
        part = await place.call("read_artifact", id="answer-1", start=9, end=10)
        assert part.text.startswith("     9\t9\n    10\t10\n[")


async def test_an_answer_in_one_endless_line_is_paged_in_pieces(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        await place.call("shell", command="seq -s , 20000")
        assert "".join(await pages(place, "answer-1")) == ",".join(map(str, range(1, 20001))) + "[Exit code 0.]"


async def test_what_is_not_kept_is_answered_with_what_is(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        nothing = await place.call("read_artifact", id="answer-1")
        assert not nothing.ok
        assert "There are: none yet." in nothing.text
        await place.call("shell", command="seq 20000")
        assert "There are: answer-1." in (await place.call("read_artifact", id="answer-2")).text
        assert "has 20001 lines" in (await place.call("read_artifact", id="answer-1", start=20002)).text


async def test_kept_files_of_the_task_are_shown_and_those_of_another_are_not(tmp_path: Path) -> None:
    async with open_store(Settings(soundstage_home=tmp_path / "home")) as store:
        for task in ("task", "other"):
            spec = TaskSpec(id=task, prompt="p", model="m", base_commit="c")
            await store.log.append(task, "submitted", TaskSubmitted(spec=spec))
            written = {f"{task}.txt": File(content=b"one\ntwo\n"), "x.bin": File(content=b"\xff")}
            kept = await store.artifacts.put(TreeChange(written=written))
            await store.log.append(task, "kept", ArtifactsKept(subtask_id="s", artifacts=kept))
        tools = specialist_tools(Means(kept=KeptFiles(store.log, store.artifacts)))
        async with open_place(tmp_path / "work", tools=tools) as place:
            shown = await place.call("read_artifact", id="task.txt", start=2)
            binary = await place.call("read_artifact", id="x.bin")
            foreign = await place.call("read_artifact", id="other.txt")

    assert shown.text == "     2\ttwo"
    assert "not a UTF-8 text file" in binary.text
    assert not foreign.ok
    assert "There are: task.txt, x.bin." in foreign.text
