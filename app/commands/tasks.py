"""``soundstage tasks``."""

import json
import sys
from pathlib import Path

from app.bootstrap import open_tidy_store
from app.describe import describe, evidence_line
from app.reply_counts import count_replies
from app.settings import Settings
from domain.files import File
from domain.money import format_usd
from domain.text import one_line, plain
from storage.export import check_empty, export


async def list_tasks(settings: Settings, most: int, as_json: bool) -> None:
    """Prints the newest tasks."""
    async with open_tidy_store(settings) as store:
        found = await store.tasks.newest(most)
    if as_json:
        for task in found:
            print(task.model_dump_json())
        return
    if not found:
        print('No tasks yet. Start one with: soundstage run "..."')
        return
    print(f"{'task':<13}{'status':<11}{'grade':<11}{'tokens':>9} {'cost':>9}  prompt")
    for task in found:
        cost, prompt = format_usd(task.cost), one_line(task.prompt, 60)
        print(f"{task.id:<13}{task.status:<11}{task.grade or '-':<11}{task.tokens:>9,} {cost:>9}  {prompt}")


async def show_task(settings: Settings, prefix: str, as_json: bool) -> None:
    """Prints one task: what was asked for, how it stands, and its evidence."""
    async with open_tidy_store(settings) as store:
        task = await store.tasks.find(prefix)
        result = await store.tasks.result(task.id)
        counts = count_replies(await store.log.read(task.id))
    if as_json:
        told = (result or task).model_dump(mode="json")
        replies = {subtask: counted.model_dump(mode="json") for subtask, counted in counts.items()}
        print(json.dumps({**told, "replies": replies}))
        return
    print(f"task      {task.id}\nstatus    {task.status}\nmodel     {one_line(task.model)}")
    print(f"submitted {task.submitted_at}\nused      {task.tokens:,} tokens, {format_usd(task.cost)}")
    print(f"prompt    {one_line(task.prompt, 500)}")
    if result is not None:
        print(f"grade     {result.grade}\nreason    {one_line(result.reason, 500)}")
        if result.evidence is not None:
            print(f"evidence  {evidence_line(result.evidence)}\ntree      {result.evidence.tree}")
    for subtask, counted in counts.items():
        print(f"replies   {one_line(subtask)}: {counted.line()}")


async def show_events(settings: Settings, prefix: str, as_json: bool) -> None:
    """Prints a task's events."""
    async with open_tidy_store(settings) as store:
        task = await store.tasks.find(prefix)
        for event in await store.log.read(task.id):
            if as_json:
                print(event.model_dump_json())
            else:
                line = describe(event) or event.fact.type.replace("_", " ")
                print(f"{event.seq:4} {event.at:%H:%M:%S}  {plain(line)}")


async def show_artifacts(settings: Settings, prefix: str, out: Path | None, as_json: bool) -> None:
    """Prints the files that a task kept, or writes them to a folder."""
    if out is not None:
        check_empty(out)
    async with open_tidy_store(settings) as store:
        result = await store.tasks.result((await store.tasks.find(prefix)).id)
        artifacts = result.artifacts if result is not None else ()
        if out is not None:
            await export({one.path: File(content=await store.artifacts.get(one)) for one in artifacts}, out)
    for one in artifacts:
        print(one.model_dump_json() if as_json else f"{one.size:>12,}  {one.sha256[:16]}  {one_line(one.path)}")
    if not artifacts and not as_json:
        print("The task kept no files besides its tree.")


async def show_patch(settings: Settings, prefix: str) -> None:
    """Prints what a task changed, as a patch that ``git apply`` takes."""
    async with open_tidy_store(settings) as store:
        task = await store.tasks.find(prefix)
        spec = await store.tasks.spec(task.id)
        result = await store.tasks.result(task.id)
        workspace = store.workspaces.open(task.id)
        commit = result.commit if result is not None else spec.base_commit
        patch = await workspace.patch(spec.base_commit, commit)
    sys.stdout.buffer.write(patch.encode("utf-8", "surrogateescape"))
    sys.stdout.flush()
