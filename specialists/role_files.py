"""Reading roles from folders: for each a TOML file with its data and a Markdown file with its prompt."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from domain.errors import UsageError
from specialists.prompt import PLACEHOLDERS, unknown_placeholders
from specialists.role import Role

NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
GUIDE = "docs/specialists.md lists the fields."


@cache
def load_roles() -> dict[str, Role]:
    """Every role in ``specialists/roles``."""
    return _read(resources.files("specialists").joinpath("roles"))


def read_roles(folders: Iterable[Path]) -> dict[str, Role]:
    """Our roles, and those in a person's folders, which take the place of ours of the same name.

    UsageError where a folder or a file of it is no good: it names the file, the field, and what to do.
    """
    roles = dict(load_roles())
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder with roles. Correct SOUNDSTAGE_ROLES, or make it.")
        roles |= _read(folder)
    return roles


def role(name: str, roles: Mapping[str, Role] | None = None) -> Role:
    """The role of that name, of ours where no others are given; UsageError with the names there are."""
    known = load_roles() if roles is None else roles
    if name not in known:
        raise UsageError(f"There is no role {name!r}. Use one of: {', '.join(sorted(known))}.")
    return known[name]


def _read(folder: Traversable) -> dict[str, Role]:
    entries = {entry.name: entry for entry in folder.iterdir()}
    names = sorted(name.removesuffix(".toml") for name in entries if name.endswith(".toml"))
    return {name: _read_role(name, folder, entries) for name in names}


def _read_role(name: str, folder: Traversable, entries: Mapping[str, Traversable]) -> Role:
    path = f"{folder}/{name}.toml"
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{path}: {name!r} is no name of a role. Use small letters, digits, - and _ for the file's name."
        )
    prompt_path = f"{folder}/{name}.md"
    if f"{name}.md" not in entries:
        raise UsageError(f"{prompt_path} is missing: it holds the prompt of the role. Write it beside {name}.toml.")
    try:
        data = tomllib.loads(_text(entries[f"{name}.toml"], path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}. Correct it.") from error
    prompt = _text(entries[f"{name}.md"], prompt_path)
    if unknown := unknown_placeholders(prompt):
        known = ", ".join(f"{{{placeholder}}}" for placeholder in PLACEHOLDERS)
        raise UsageError(f"{prompt_path}: {{{unknown[0]}}} stands for nothing. Use one of {known}, or no braces.")
    try:
        return Role.model_validate({**data, "name": name, "prompt": prompt})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"{path}: field {field}: {first['msg']}. Correct it; {GUIDE}") from error


def _text(entry: Traversable, path: str) -> str:
    try:
        return entry.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}. Make it a text file in UTF-8.") from error
