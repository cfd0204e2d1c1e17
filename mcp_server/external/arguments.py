"""Arguments of external tools, checked against the approved schema before they are sent.

The check knows the keywords by which tools describe plain data. It leaves out those that a hostile schema could make
endless (``pattern``, ``$ref``) and rare ones: what it does not know is for the server to judge.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pydantic import RootModel, model_validator
from pydantic_core import PydanticCustomError

from domain.text import one_line

MOST_PROBLEMS = 5

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: not isinstance(value, bool) and (isinstance(value, int) or _whole(value)),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
LIMITS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda value, limit: value >= limit, "at least"),
    "maximum": (lambda value, limit: value <= limit, "at most"),
    "exclusiveMinimum": (lambda value, limit: value > limit, "more than"),
    "exclusiveMaximum": (lambda value, limit: value < limit, "less than"),
}
SIZES: dict[str, tuple[type[str] | type[list[Any]], Callable[[int, Any], bool], str]] = {
    "minLength": (str, lambda size, limit: size >= limit, "at least that long:"),
    "maxLength": (str, lambda size, limit: size <= limit, "at most that long:"),
    "minItems": (list, lambda size, limit: size >= limit, "at least so many items:"),
    "maxItems": (list, lambda size, limit: size <= limit, "at most so many items:"),
}


class ExternalArguments(RootModel[dict[str, Any]]):
    """Arguments by name; each tool has a subclass with its own ``schema_of_tool``."""

    schema_of_tool: ClassVar[dict[str, Any]] = {}

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """The tool's own schema."""
        return cls.schema_of_tool

    @model_validator(mode="after")
    def _fits(self) -> "ExternalArguments":
        found = problems(self.schema_of_tool, self.root)
        told = [problem for problem, _ in zip(found, range(MOST_PROBLEMS), strict=False)]
        if told:
            raise PydanticCustomError("schema", "{problems}", {"problems": "; ".join(told)})
        return self


def arguments_of(schema: dict[str, Any]) -> type[ExternalArguments]:
    """The arguments that a schema describes."""
    return type("Arguments", (ExternalArguments,), {"schema_of_tool": schema, "__module__": __name__})


def problems(schema: Any, value: Any, place: str = "") -> Iterator[str]:
    """What is wrong with a value, with the place of it."""
    if schema is False:
        yield f"{place or 'it'} is not taken"
    if not isinstance(schema, dict):
        return
    wanted = schema.get("type")
    names = [name for name in _list(wanted) if isinstance(name, str) and name in TYPES]
    if names and not any(TYPES[name](value) for name in names):
        yield f"{place or 'it'} must be {' or '.join(names)}"
        return
    yield from _bounds(schema, value, place)
    if isinstance(value, dict):
        yield from _fields(schema, value, place)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, item in enumerate(value):
            yield from problems(schema["items"], item, f"{place}[{number}]")
    yield from _choices(schema, value, place)


def _fields(schema: dict[str, Any], value: dict[str, Any], place: str) -> Iterator[str]:
    fields = schema.get("properties")
    fields = fields if isinstance(fields, dict) else {}
    for name in _required(schema):
        if name not in value:
            yield f"{_at(place, name)} is missing"
    for name, one in value.items():
        more = True if "patternProperties" in schema else schema.get("additionalProperties")
        yield from problems(fields.get(name, more), one, _at(place, name))


def _bounds(schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
    for keyword, (holds, words) in LIMITS.items():
        limit = schema.get(keyword)
        if TYPES["number"](value) and TYPES["number"](limit) and not holds(value, limit):
            yield f"{place or 'it'} must be {words} {limit}"
    for keyword, (kind, fits, words) in SIZES.items():
        limit = schema.get(keyword)
        if isinstance(value, kind) and TYPES["number"](limit) and not fits(len(value), limit):
            yield f"{place or 'it'} must be {words} {limit}"


def _choices(schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(choices, list) and not any(_same(value, choice) for choice in choices):
        yield f"{place or 'it'} must be one of {', '.join(one_line(repr(choice), 40) for choice in choices[:10])}"
    for keyword in ("anyOf", "oneOf"):
        ways = schema.get(keyword)
        found = [next(problems(way, value, place), None) for way in ways] if isinstance(ways, list) else []
        if found and found[0] is not None and None not in found:
            yield found[0]
    for way in schema["allOf"] if isinstance(schema.get("allOf"), list) else []:
        yield from problems(way, value, place)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _required(schema: dict[str, Any]) -> list[str]:
    return [name for name in _list(schema.get("required")) if isinstance(name, str)]


def _at(place: str, name: str) -> str:
    return one_line(f"{place}.{name}" if place else name, 60)


def _whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _same(value: Any, choice: Any) -> bool:
    """Equality in JSON, where true is not 1."""
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def sample(schema: Any) -> Any:
    """A value of that shape, with no word of the server's in it but a choice."""
    if not isinstance(schema, dict):
        return "..."
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    wanted = schema.get("type")
    kind = next(iter(_list(wanted)), None)
    if kind == "object":
        fields = schema.get("properties")
        fields = fields if isinstance(fields, dict) else {}
        return {name: sample(fields.get(name)) for name in _required(schema)}
    return {"array": [], "boolean": True, "integer": 1, "number": 1, "null": None}.get(str(kind), "...")
