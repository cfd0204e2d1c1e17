"""Small tasks in a row with a real model behind a server that speaks OpenAI's wire format.

Meant for very small models, which ramble, break JSON and call no tools: every task has to end in a typed status with
the best tree, whatever the model says, without a traceback, a container left behind, or a token beyond the limit.
"""

import argparse
import asyncio
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import docker
import openai
from openai.types.chat import ChatCompletionUserMessageParam

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# Its own folder has a module that is called mcp.
sys.path.remove(str(Path(__file__).resolve().parent))

from app.bootstrap import build
from app.demo_script import demo_model
from app.models import only
from app.settings import Settings
from bench.measure import Figure, show
from domain.command import shell
from domain.files import File, FileTree, TreeChange
from sandbox.base import Sandboxes, SandboxRequest
from specialists.reading.module_code import module_in

SOUNDSTAGE = Path(sys.executable).parent / "soundstage"
MAX_TOKENS = 60_000
TASK_S = 600.0


class SmallTask(NamedTuple):
    """A function, by its name, the ``prompt`` with the examples that are ``shown``, and what is ``hidden`` from the
    model: expressions that must be true of what was written."""

    name: str
    prompt: str
    shown: tuple[str, ...]
    hidden: tuple[str, ...]


TASKS = tuple(
    SmallTask(one["name"], one["prompt"], tuple(one["shown"]), tuple(one["hidden"]))
    for one in tomllib.loads(Path(__file__).with_name("small_model_tasks.toml").read_text(encoding="utf-8"))["task"]
)


def run(prompt: str, model: str, home: Path) -> tuple[dict[str, Any], str]:
    """The result of a task as its last event tells it, and what went wrong."""
    command = [str(SOUNDSTAGE), "run", prompt, "--model", model, "--max-tokens", str(MAX_TOKENS), "--json"]
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TASK_S, check=False)
    except subprocess.TimeoutExpired:
        return {}, "it did not end"
    facts = [json.loads(line)["fact"] for line in done.stdout.splitlines() if line.startswith("{")]
    finished = [fact["result"] for fact in facts if fact["type"] == "task_finished"]
    if not finished:
        return {}, f"exit code {done.returncode}, and no result: {done.stderr[-500:]}"
    problem = "a traceback" if "Traceback" in done.stderr else ""
    used = finished[0]["usage"]["input_tokens"] + finished[0]["usage"]["output_tokens"]
    if used > MAX_TOKENS:
        problem = f"{used} tokens were used"
    if done.returncode not in {0, 1}:
        problem = f"exit code {done.returncode}: {done.stderr[-300:]}"
    return finished[0], problem


def orphans() -> int:
    """Containers with our label that are there now."""
    client = docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto")
    try:
        return len(client.containers(all=True, filters={"label": "soundstage"}))
    finally:
        client.close()


def plain_reply(task: SmallTask, model: str) -> str | None:
    """The module in the model's one reply to the bare prompt, at temperature 0."""
    client = openai.OpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ.get("OPENAI_API_KEY") or "none")
    message: ChatCompletionUserMessageParam = {"role": "user", "content": task.prompt}
    said = client.chat.completions.create(
        model=model.split("/", 1)[1], messages=[message], temperature=0, max_tokens=1024
    )
    return module_in(said.choices[0].message.content or "", {task.name}, task.prompt)


async def hold(sandboxes: Sandboxes, files: FileTree, name: str, expressions: Sequence[str]) -> bool:
    """Whether expressions are true of the function that some file defines, in a sandbox of their own."""
    path = next((path for path, file in files.items() if f"def {name}(".encode() in file.content), None)
    if path is None:
        return False
    module = path.removesuffix(".py").replace("/", ".")
    source = f"from {module} import {name}\n" + "".join(f"assert {one}\n" for one in expressions)
    request = SandboxRequest(task_id="bench", purpose="checks", lifetime_s=60)
    async with sandboxes.lease(request) as sandbox:
        await sandbox.put(TreeChange(written=files | {"checks_of_ours.py": File(content=source.encode())}), clear=True)
        return (await sandbox.run(shell("timeout 10 python3 checks_of_ours.py"))).ok


async def judge(home: Path, ended: Sequence[dict[str, Any]], plain: Sequence[str | None]) -> tuple[int, int, int]:
    """How many solved tasks keep what they were not told, how many of those are contradicted, and how many plain
    replies are right in every way."""
    held = contradicted = right = 0
    async with build(Settings(soundstage_home=home), only(demo_model(), "scripted", "a bench")) as product:
        for task, result, module in zip(TASKS, ended, plain, strict=True):
            if result.get("status") == "solved":
                files = await product.store.workspaces.open(result["task_id"]).files(result["commit"])
                held += await hold(product.sandboxes, files, task.name, task.hidden)
                contradicted += not await hold(product.sandboxes, files, task.name, task.shown)
            if module is not None:
                alone: FileTree = {"module.py": File(content=module.encode())}
                right += await hold(product.sandboxes, alone, task.name, (*task.shown, *task.hidden))
    return held, contradicted, right


def main() -> None:
    """Runs them all and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", required=True, help="PROVIDER/ID; OPENAI_BASE_URL names the server")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args()
    before, started = orphans(), time.perf_counter()
    ended: list[dict[str, Any]] = []
    problems = 0
    with tempfile.TemporaryDirectory(prefix="soundstage-bench-") as home:
        for task in TASKS:
            result, problem = run(task.prompt, options.model, Path(home))
            ended.append(result)
            problems += bool(problem)
            print(
                f"{task.name}: {result.get('status')} ({result.get('grade')}): {result.get('reason')} {problem}".strip()
            )
        took = time.perf_counter() - started
        left = orphans() - before
        plain = [plain_reply(task, options.model) for task in TASKS]
        held, contradicted, right = asyncio.run(judge(Path(home), ended, plain))
    ends = collections.Counter(f"{result.get('status', 'none')} ({result.get('grade', '')})" for result in ended)
    told = ", ".join(f"{number} {how}" for how, number in ends.most_common())
    solved = sum(result.get("status") == "solved" for result in ended)
    show(
        [
            Figure("tasks", len(TASKS), "", told),
            Figure("solved", solved, "", "by evidence from a clean room"),
            Figure("hidden_held", held, "", "of these keep what the model was not told"),
            Figure("contradicted", contradicted, "", "claims that a run of their own contradicts"),
            Figure("plain_right", right, "", "right in one plain reply of the same model, at temperature 0"),
            Figure("vs_plain_x", held / max(1, right), "x", "hidden_held to plain_right"),
            Figure("problems", problems, "", "tracebacks, limits that were broken, tasks that did not end"),
            Figure("orphans", left, "", "containers left behind"),
            Figure("seconds", took, "s", f"{took / len(TASKS):.1f} s a task"),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
