"""Databases outside of the workspace, which the service holds under names."""

from typing import Protocol

from domain.base import Value

Parameter = str | int | float | bool | None


class Rows(Value):
    """What a query gave: the columns' names, and the rows as text, None for NULL. ``cut`` says that there are more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    cut: bool = False


class Databases(Protocol):
    """Reads them. Nothing that it raises or answers tells where a database is, or what opens it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names there are."""
        ...

    async def query(self, name: str, sql: str, parameters: tuple[Parameter, ...], most: int, timeout_s: float) -> Rows:
        """At most so many rows of one query that only reads. KeyError for an unknown name, QueryFailed."""
        ...
