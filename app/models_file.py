"""The file of models and prices, ``models.toml``: ours, and one that a person may write."""

import tomllib
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.ollama import OLLAMA
from app.settings import Settings
from domain.base import Value
from domain.catalogue import Catalogue, ModelInfo
from domain.errors import UsageError
from domain.tariff import WrittenPrice
from gateway.knowledge import Knowledge
from gateway.pricing import Prices
from gateway.published import published_context


class ModelsFile(Value):
    """What is in such a file: tables ``[[model]]`` and ``[[price]]``."""

    model: tuple[ModelInfo, ...] = ()
    price: tuple[WrittenPrice, ...] = ()


def read_models(own: Path | None = None) -> ModelsFile:
    """Our models, then those of the person's own file, which go before ours. UsageError where a file is broken."""
    ours = _ours()
    theirs = _read(own) if own is not None else ModelsFile()
    return ModelsFile(model=ours.model + theirs.model, price=ours.price + theirs.price)


@cache
def _ours() -> ModelsFile:
    return _read(files("gateway") / "models.toml")


def read_knowledge(settings: Settings) -> Knowledge:
    """What we know, and what the person's own file says. UsageError where that is broken.

    A model of Ollama takes no more than the context that Ollama is asked to keep.
    """
    found = read_models(settings.models_file)
    models = [_kept(entry, settings.soundstage_ollama_context) for entry in found.model]
    return Knowledge(Catalogue(models, published_context), Prices(found.price))


def _kept(entry: ModelInfo, context_tokens: int) -> ModelInfo:
    if entry.provider != OLLAMA or entry.context_tokens <= context_tokens:
        return entry
    output = min(entry.output_tokens, context_tokens)
    return entry.model_copy(update={"context_tokens": context_tokens, "output_tokens": output})


def _read(file: Traversable) -> ModelsFile:
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}). Correct SOUNDSTAGE_MODELS_FILE.") from error
    except ValueError as error:
        raise UsageError(f"{file} is no TOML: {error}. Correct it there.") from error
    try:
        return ModelsFile.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        what = problem["msg"].removeprefix("Value error, ")
        raise UsageError(f"{file}: {_place(content, problem['loc'])}: {what}. Correct it there.") from error


def _place(content: dict[str, Any], where: tuple[int | str, ...]) -> str:
    """The entry and the field that are meant, such as ``model 3 (openai gpt-9), strength``."""
    table, *rest = where
    if not rest or not isinstance(rest[0], int):
        return f"[[{table}]]"
    entry = content[str(table)][rest[0]]
    name = f" ({entry.get('provider', '?')} {entry.get('id', '?')})" if isinstance(entry, dict) else ""
    return ", ".join([f"{table} {rest[0] + 1}{name}", *map(str, rest[1:])])
