"""The tools that a role has, by the names and arguments that models write for them."""

import json
from collections.abc import Sequence
from typing import Any

from domain.chat import ToolSchema


class KnownTools:
    """Tells which tool is meant."""

    def __init__(self, schemas: Sequence[ToolSchema]) -> None:
        self._schemas = {schema.name: schema for schema in schemas}
        self._folded: dict[str, str] = {_fold(schema.name): schema.name for schema in schemas}

    def __contains__(self, name: str) -> bool:
        return name in self._schemas

    def resolve(self, name: str) -> str:
        """The tool's real name where ``name`` differs in case, dashes or a prefix alone; else the name as it is."""
        if name in self._schemas:
            return name
        bare = name.strip().removesuffix("()").rpartition(".")[2].partition(":")[0]
        return self._folded.get(_fold(bare), name)

    def fields(self, name: str) -> dict[str, Any]:
        """The tool's fields with their schemas, in order; empty for an unknown tool."""
        schema = self._schemas.get(name)
        properties = schema.parameters.get("properties") if schema else None
        return properties if isinstance(properties, dict) else {}

    def required(self, name: str) -> list[str]:
        """The fields that a call of the tool must have."""
        schema = self._schemas.get(name)
        required = schema.parameters.get("required") if schema else None
        return [field for field in required if isinstance(field, str)] if isinstance(required, list) else []

    def takes(self, name: str, arguments: dict[str, Any]) -> bool:
        """Whether these are fields of the tool, with all that it must have."""
        fields = self.fields(name)
        return set(self.required(name)) <= set(arguments) <= set(fields) and bool(arguments)

    def sole_taker(self, arguments: dict[str, Any]) -> str | None:
        """The one tool that takes these fields, if there is just one."""
        takers = [name for name in self._schemas if self.takes(name, arguments)]
        return takers[0] if len(takers) == 1 else None

    def value(self, name: str, field: str, text: str) -> Any:
        """A field's value from text: as JSON where the field takes no string."""
        kind = self.fields(name).get(field)
        if isinstance(kind, dict) and kind.get("type") == "string":
            return text
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text


def _fold(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
