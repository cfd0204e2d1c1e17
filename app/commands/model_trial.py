"""``soundstage models test``: small requests that show what a model can do here and now."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import JsonValue

from app.bootstrap import model_gateway, settling
from app.gateway_settings import caps
from app.models import ChosenModel, choose
from app.settings import Settings
from app.store import Store, open_store
from director.scopes import open_day
from domain.base import Value
from domain.chat import ModelReply, ModelRequest, ToolSchema, UserMessage
from domain.errors import SoundstageError
from domain.ledger import Scope
from domain.money import NanoUsd, format_usd
from domain.task import LOCAL_OWNER
from domain.text import one_line
from gateway.base import Call
from gateway.gateway import Gateway
from gateway.policy import RetryPolicy

MOST_TOKENS = 2048
"""Enough for a model that reasons before it says a word."""

NUMBER: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}
NO_ANSWER = 3


class Trial(Value):
    """One request: whether it worked, what was wrong, seconds, tokens, and nano-USD where the price is known."""

    name: str
    ok: bool
    problem: str = ""
    latency_s: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: NanoUsd | None = None


async def try_model(settings: Settings, wanted: str | None, as_json: bool) -> int:
    """Tries text, then tools, then JSON by a schema, and prints how it went; the exit code is 3 without text."""
    models = await choose(settings, wanted)
    chosen = models.chosen
    try:
        async with open_store(settings) as store:
            scope = await _open_scope(store, settings)
            gateway = model_gateway(settings, store, models, RetryPolicy(attempts=1))
            if not as_json:
                print(f"model: {chosen.model} ({chosen.why})")
            async with settling(gateway):
                for name, request, judge in _requests(chosen):
                    trial = await _try(gateway, name, request, judge, scope)
                    print(trial.model_dump_json() if as_json else _line(trial), flush=True)
                    if name == "text" and not trial.ok:
                        return NO_ANSWER
    finally:
        await models.close()
    return 0


async def _open_scope(store: Store, settings: Settings) -> str:
    """A budget scope for this trial, below the day's, as that of a task is."""
    day = await open_day(store.ledger, LOCAL_OWNER, datetime.now(UTC).date(), caps(settings))
    trial = f"trial:{uuid.uuid4().hex}"
    await store.ledger.open(Scope(id=trial, parent=day))
    return trial


def _requests(chosen: ChosenModel) -> list[tuple[str, ModelRequest, Callable[[ModelReply], str]]]:
    """Each request with its judge, which says what is wrong with a reply."""

    def ask(text: str) -> ModelRequest:
        return ModelRequest(model=chosen.route, messages=(UserMessage(content=text),), max_output_tokens=MOST_TOKENS)

    tool = ToolSchema(name="report", description="Reports a number.", parameters=NUMBER)
    return [
        ("text", ask("Reply with the one word: ready"), _judge_text),
        ("tools", ask("Call the tool report with the number 7.").model_copy(update={"tools": (tool,)}), _judge_tools),
        ("json", ask('Reply with {"number": 7} and no more.').model_copy(update={"json_schema": NUMBER}), _judge_json),
    ]


async def _try(
    gateway: Gateway, name: str, request: ModelRequest, judge: Callable[[ModelReply], str], scope: str
) -> Trial:
    call = Call(request=request, task_id="", purpose="trial", scope=scope)
    try:
        done = await gateway.complete(call)
    except SoundstageError as error:
        return Trial(name=name, ok=False, problem=str(error))
    usage, problem = done.reply.usage, judge(done.reply)
    return Trial(
        name=name,
        ok=not problem,
        problem=problem,
        latency_s=done.latency_s,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost=done.cost if done.priced else None,
    )


def _judge_text(reply: ModelReply) -> str:
    return "" if reply.message.content.strip() else f"no text came (finish: {reply.finish_reason})"


def _judge_tools(reply: ModelReply) -> str:
    calls = [call.arguments for call in reply.message.tool_calls if call.name == "report"]
    return _judge_number(calls[0]) if calls else "the tool was not called"


def _judge_json(reply: ModelReply) -> str:
    return _judge_number(reply.message.content)


def _judge_number(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return f"no JSON: {text[:60]}"
    fits = isinstance(found, dict) and isinstance(found.get("number"), int)
    return "" if fits else f"JSON, and not of the schema: {text[:60]}"


def _line(trial: Trial) -> str:
    if trial.problem and not trial.latency_s:
        return f"✗ {trial.name:<6}{one_line(trial.problem, 200)}"
    cost = "price unknown" if trial.cost is None else format_usd(trial.cost)
    tokens = f"{trial.input_tokens:,} tokens in, {trial.output_tokens:,} out"
    problem = f", {one_line(trial.problem, 200)}" if trial.problem else ""
    return f"{'✓' if trial.ok else '✗'} {trial.name:<6}{trial.latency_s:6.2f} s, {tokens}, {cost}{problem}"
