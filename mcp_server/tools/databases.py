"""Asking databases: SQLite files of the workspace, inside the sandbox, and those that the service holds by name."""

import json
from functools import cache, partial
from importlib import resources
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.command import Command, Verdict
from domain.database import Databases, Rows
from domain.errors import QueryFailed
from domain.text import one_line, plain
from mcp_server.caller import Permission
from mcp_server.registry import AnyTool
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.tools.paths import FilePath, check_inside
from mcp_server.untrusted import untrusted

STATEMENT_S = 10.0
CELL_CHARACTERS = 500
MOST_CHARACTERS = 500_000
NO_SUCH_PROGRAM = 127

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Parameter = str | bool | Whole | float | None


class ChangeDatabase(BaseModel):
    """Arguments of change_database."""

    model_config = ConfigDict(extra="forbid")

    database: FilePath = Field(description="path of an SQLite file in the workspace")
    sql: str = Field(min_length=1, max_length=50_000, description="one statement")
    parameters: list[Parameter] = Field(default_factory=list, max_length=100, description="values for ? in it")


class QueryDatabase(ChangeDatabase):
    """Arguments of query_database."""

    database: FilePath = Field(description="path of an SQLite file in the workspace, or the name of a database")
    sql: str = Field(min_length=1, max_length=50_000, description="one SELECT")
    parameters: list[Parameter] = Field(
        default_factory=list, max_length=100, description="values for ? in SQLite, for $1, $2 in PostgreSQL"
    )
    max_rows: int = Field(default=100, ge=1, le=1000, description="most rows to show")


class QueryResult(BaseModel):
    """Rows as text, None for NULL; ``cut`` says that there are more. ``changed`` counts the rows that were changed."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    cut: bool = False
    changed: int = Field(default=0, ge=0)


async def _query(databases: Databases | None, session: ToolSession, arguments: QueryDatabase) -> ToolOutcome:
    name, most = arguments.database, arguments.max_rows
    if databases is not None and name in databases.names:
        rows: Rows = await databases.query(name, arguments.sql, tuple(arguments.parameters), most, STATEMENT_S)
        return _outcome(name, QueryResult(columns=rows.columns, rows=rows.rows, cut=rows.cut))
    known = databases.names if databases is not None else ()
    return _outcome(name, await _in_sandbox(session, arguments, most, write=False, known=known))


async def _change(session: ToolSession, arguments: ChangeDatabase) -> ToolOutcome:
    if not session.allows(arguments.database):
        raise ToolRefused(f"{arguments.database} is protected and stays as it is.")
    try:
        result = await _in_sandbox(session, arguments, 100, write=True)
    finally:
        note = await session.sync(f"change_database: {arguments.database}")
    outcome = _outcome(arguments.database, result)
    text = outcome.text if result.columns else f"{result.changed} rows changed."
    return outcome.model_copy(update={"text": f"{text}\n{note}" if note else text})


async def _in_sandbox(
    session: ToolSession, arguments: ChangeDatabase, most: int, write: bool, known: tuple[str, ...] = ()
) -> QueryResult:
    try:
        await check_inside(session, arguments.database)
    except ToolRefused as refusal:
        raise ToolRefused(f"{refusal} Databases by name: {', '.join(known) or 'none'}") from None
    ask = {
        "path": f"./{arguments.database}", "sql": arguments.sql, "parameters": arguments.parameters, "write": write,
        "rows": most, "cell": CELL_CHARACTERS, "characters": MOST_CHARACTERS, "timeout_s": STATEMENT_S,
    }  # fmt: skip
    command = Command(
        argv=("python3", "-I", "-S", "-c", _program()),
        stdin=json.dumps(ask).encode(),
        timeout_s=STATEMENT_S + 10,
        output_limit=16 * MOST_CHARACTERS,
    )
    result = await session.sandbox.run(command)
    if result.exit_code == NO_SUCH_PROGRAM:
        raise ToolRefused("This sandbox has no Python to open an SQLite file with. Use shell, if there is a program.")
    if result.verdict is Verdict.TIMEOUT:
        raise QueryFailed("The query took too long and was ended. Ask for less.")
    return _read(result.stdout)


@cache
def _program() -> str:
    return resources.files("mcp_server.sandboxed").joinpath("sqlite_query.py").read_text(encoding="utf-8")


def _read(output: bytes) -> QueryResult:
    """What the sandbox says came of it, which is not trusted to be well-formed."""
    try:
        answer: Any = json.loads(output)
        if isinstance(answer, dict) and "error" in answer:
            said = one_line(str(answer["error"]), 2000).replace("interrupted", "it took too long").rstrip(".")
            raise QueryFailed(f"The database refused the query: {said}. Write one statement, with ? for parameters.")
        return QueryResult.model_validate(answer)
    except (ValueError, ValidationError, RecursionError):
        raise QueryFailed("The sandbox gave no answer to the query. Ask for less.") from None


def _outcome(name: str, result: QueryResult) -> ToolOutcome:
    lines = [" | ".join(_shown(column) for column in result.columns)]
    lines += [" | ".join("NULL" if cell is None else _shown(cell) for cell in row) for row in result.rows]
    lines.append(f"[{len(result.rows)} rows{', and more: narrow the query' if result.cut else ''}]")
    return ToolOutcome(text=untrusted(f"the database {name}", "\n".join(lines)), data=result)


def _shown(cell: str) -> str:
    return plain(cell).replace("\n", "\\n")


def database_tools(databases: Databases | None = None) -> tuple[AnyTool, ...]:
    """The tools; without ``databases`` they know the SQLite files of the workspace only."""
    names = databases.names if databases is not None else ()
    held = f" PostgreSQL databases by name: {', '.join(names)}." if names else ""
    query = Tool(
        name="query_database",
        description=f"Reads a database by one SELECT: an SQLite file of the workspace.{held}",
        session=ToolSession,
        arguments=QueryDatabase,
        permission=Permission.QUERY,
        handler=partial(_query, databases),
        example={"database": "app.db", "sql": "SELECT id, name FROM users WHERE id = ?", "parameters": [1]},
        data=QueryResult,
        read_only=True,
        idempotent=True,
        limits=ToolLimits(timeout_s=60),
    )
    change = Tool(
        name="change_database",
        description="Changes an SQLite file of the workspace by one statement.",
        session=ToolSession,
        arguments=ChangeDatabase,
        permission=Permission.ALTER,
        handler=_change,
        example={"database": "app.db", "sql": "UPDATE users SET name = ? WHERE id = ?", "parameters": ["Ada", 1]},
        data=QueryResult,
        destructive=True,
        limits=ToolLimits(timeout_s=330),
    )
    return (query, change)
