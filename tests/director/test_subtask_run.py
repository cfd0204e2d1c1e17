"""Subtasks on their branches: merged, done again on top of others, and taken over when a sandbox is lost."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from domain.errors import SandboxLost
from domain.events import BranchMerged, ModelCalled, SandboxFailed, SubtaskFinished, SubtaskStarted
from domain.task import TaskStatus
from domain.tokens import estimate_most
from gateway.scripted import Line, ScriptedProvider
from tests.director.stage import CODE, node, open_stage, part, planned, role_of_ours, shell, submit, write, writes

KILL = "kill -9 $PPID; sleep 60"


def appending(names: Iterable[str]) -> ScriptedProvider:
    """A plan whose subtasks, all at once, each append their name to the same file."""
    parts = [
        part(CODE, f"Do the work of {name}.", lines=[Line(calls=(shell(f"echo {name} >> shared.txt"),)), submit()])
        for name in names
    ]
    return ScriptedProvider((planned(*(node(name) for name in names)), *parts))


def keys_of(facts: Iterable[Any]) -> list[str]:
    return [fact.subtask_id for fact in facts]


async def test_parallel_work_on_different_files_is_merged(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("a"), node("b"), node("last", needs=["a", "b"])),
            part(CODE, "Do the work of last.", lines=[Line(calls=(shell("cat a.txt b.txt > both.txt"),)), submit()]),
            part(CODE, "Do the work of a.", lines=writes(("a.txt", "a\n"))),
            part(CODE, "Do the work of b.", lines=writes(("b.txt", "b\n"))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"base.txt": "base\n"})
        result = await stage.run()
        expected = {"base.txt": "base\n", "a.txt": "a\n", "b.txt": "b\n", "both.txt": "a\nb\n"}
        assert await stage.texts(result.commit) == expected
        merged = await stage.happened(BranchMerged)
        assert sorted(keys_of(merged)) == ["a", "b", "last"]
        assert not any(fact.conflicts for fact in merged)
        assert result.status is TaskStatus.UNCHECKED


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c", "d")])
async def test_parallel_work_on_the_same_lines_is_done_again_on_top(names: tuple[str, ...], tmp_path: Path) -> None:
    async with open_stage(tmp_path, appending(names)) as stage:
        await stage.submit({"shared.txt": "base\n"})
        result = await stage.run()
        lines = (await stage.texts(result.commit))["shared.txt"].split()
        assert (lines[0], sorted(lines[1:])) == ("base", sorted(names))
        conflicts = [fact for fact in await stage.happened(BranchMerged) if fact.conflicts]
        assert len(conflicts) >= len(names) - 1
        assert {fact.conflicts for fact in conflicts} == {("shared.txt",)}
        goals = [fact.subtask.goal for fact in await stage.happened(SubtaskStarted)]
        assert any("had to be done again, because others changed them: shared.txt" in goal for goal in goals)


async def test_a_lost_sandbox_is_replaced_once_and_the_work_goes_on_from_its_last_snapshot(tmp_path: Path) -> None:
    # The second conversation starts afresh, but sees the file that the first one wrote.
    model = ScriptedProvider(
        (
            planned(node("code")),
            part(CODE, "Files in the workspace:\na.txt", lines=writes(("b.txt", "2\n"))),
            part(CODE, lines=[Line(calls=(write("a.txt", "1\n"),)), Line(calls=(shell(KILL),))]),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.txt": "1\n", "b.txt": "2\n"}
        assert result.status is TaskStatus.UNCHECKED
        (failed,) = await stage.happened(SandboxFailed)
        assert failed.subtask_id == "code"
        first, second = await stage.happened(SubtaskStarted)
        assert first.commit != second.commit
        assert len(await stage.happened(SubtaskFinished)) == 1


async def test_a_sandbox_that_is_lost_twice_ends_the_task(tmp_path: Path) -> None:
    deadly = [Line(calls=(write("a.txt", "1\n"), shell(KILL))), submit()]
    async with open_stage(tmp_path, ScriptedProvider((planned(node("code")), part(CODE, lines=deadly)))) as stage:
        await stage.submit()
        with pytest.raises(SandboxLost):
            await stage.run()
        (result,) = [fact.result for fact in await stage.facts() if fact.type == "task_finished"]
        assert result.status is TaskStatus.FAILED
        assert "sandbox ended" in result.reason
        # What there was is kept, and nobody paid for more than the two calls and the plan.
        assert await stage.texts(result.commit) == {"a.txt": "1\n"}
        assert len(await stage.happened(SandboxFailed)) == 1
        assert len(await stage.happened(ModelCalled)) == len(stage.model.requests) == 3


@pytest.mark.parametrize(
    ("known", "least", "most"), [(9_000, 0, 9_000), (30_000, 9_000, 30_000), (10**6, 30_000, 60_000)]
)
async def test_a_conversation_is_kept_within_what_the_model_is_known_to_take(
    known: int, least: int, most: int, tmp_path: Path
) -> None:
    entry = f'[[model]]\nprovider = "scripted"\nid = "scripted"\ncontext_tokens = {known}\ncapabilities = ["tools"]\n'
    (tmp_path / "models.toml").write_text(entry)
    looks = [Line(calls=(shell(f"head -c {30_000 + at} /dev/zero | tr '\\0' x"),)) for at in range(12)]
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=[*looks, submit()])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        await stage.run()
        sizes = [estimate_most(request).total_tokens for request in stage.requests(CODE)]
    # A script counts the replies that it sees: where some are left out, it says the same again.
    assert len(sizes) >= 13
    assert least < max(sizes) <= most


async def test_a_role_of_a_person_s_own_is_offered_to_the_planner_and_works(tmp_path: Path) -> None:
    roles = role_of_ours(
        tmp_path / "roles",
        "painter",
        'description = "Paints pictures."\npermissions = ["files:write", "work:submit"]\n'
        'writable = ["*.svg"]\nmax_steps = 5\nmax_output_tokens = 900\nmodel = { route = "scripted/brush" }\n',
    )
    model = ScriptedProvider(
        (planned(node("paint", "painter")), part("You are the painter", lines=writes(("a.svg", "<svg/>"))))
    )
    async with open_stage(tmp_path, model, soundstage_roles=roles) as stage:
        await stage.submit()
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.svg": "<svg/>"}
        assert '"painter": Paints pictures.' in stage.requests("You are the planner")[0].messages[0].content
        assert {request.model for request in stage.requests("You are the painter")} == {"brush"}
