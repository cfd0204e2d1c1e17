"""Roles: what makes one specialist differ from another, as data files."""

import tomllib
from functools import cache
from importlib import resources

from pydantic import Field

from domain.base import Value
from domain.errors import UsageError
from mcp_server.caller import Permission


class Role(Value):
    """A role's prompt, permissions, path rules and limits. Patterns are those of ``mcp_server.protection``."""

    name: str
    description: str
    prompt: str
    permissions: frozenset[Permission]
    protected: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    max_steps: int = Field(gt=0)
    max_output_tokens: int = Field(gt=0)


@cache
def load_roles() -> dict[str, Role]:
    """Every role in ``specialists/roles``: a TOML file with its data and a Markdown file with its prompt."""
    roles = {}
    for entry in resources.files("specialists").joinpath("roles").iterdir():
        name, _, ending = entry.name.rpartition(".")
        if ending == "toml":
            data = tomllib.loads(entry.read_text(encoding="utf-8"))
            prompt = resources.files("specialists").joinpath("roles", f"{name}.md").read_text(encoding="utf-8")
            roles[name] = Role.model_validate({**data, "name": name, "prompt": prompt})
    return roles


def role(name: str) -> Role:
    """The role of that name; UsageError with the names there are."""
    roles = load_roles()
    if name not in roles:
        raise UsageError(f"There is no role {name!r}. Use one of: {', '.join(sorted(roles))}.")
    return roles[name]
