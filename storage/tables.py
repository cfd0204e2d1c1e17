"""The tables. Amounts are nano-USD, times RFC 3339 in UTC."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from domain.task import LOCAL_OWNER


def _amount() -> Column[int]:
    return Column(BigInteger, nullable=False, default=0, server_default="0")


class TaskRow(SQLModel, table=True):
    """A task as its events left it."""

    __tablename__ = "task"

    id: str = Field(primary_key=True)
    owner: str = Field(default=LOCAL_OWNER, index=True)
    status: str = Field(index=True)
    grade: str = ""
    model: str
    worker: str = ""
    prompt: str = Field(sa_column=Column(Text, nullable=False))
    spec: str = Field(sa_column=Column(Text, nullable=False))
    result: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    submitted_at: str = Field(index=True)
    finished_at: str | None = None
    tokens: int = Field(default=0, sa_column=_amount())
    cost: int = Field(default=0, sa_column=_amount())


class SubtaskRow(SQLModel, table=True):
    """A subtask as its events left it."""

    __tablename__ = "subtask"

    task_id: str = Field(primary_key=True, foreign_key="task.id")
    id: str = Field(primary_key=True)
    owner: str = LOCAL_OWNER
    role: str
    goal: str = Field(sa_column=Column(Text, nullable=False))
    status: str
    attempts: int = 0
    commit: str = ""


class EventRow(SQLModel, table=True):
    """One fact. ``seq`` is dense within a task."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("task_id", "key"),)

    task_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    owner: str = LOCAL_OWNER
    version: int
    key: str
    type: str
    at: str
    fact: str = Field(sa_column=Column(Text, nullable=False))


class BudgetRow(SQLModel, table=True):
    """A scope of spending, below its parent."""

    __tablename__ = "budget"

    scope: str = Field(primary_key=True)
    owner: str = LOCAL_OWNER
    parent: str | None = Field(default=None, foreign_key="budget.scope")
    cap: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    token_cap: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    reserved: int = Field(default=0, sa_column=_amount())
    settled: int = Field(default=0, sa_column=_amount())
    reserved_tokens: int = Field(default=0, sa_column=_amount())
    settled_tokens: int = Field(default=0, sa_column=_amount())


class ReservationRow(SQLModel, table=True):
    """A send under way: what it may cost, written before it is made."""

    __tablename__ = "reservation"

    attempt_id: str = Field(primary_key=True)
    owner: str = LOCAL_OWNER
    scope: str = Field(foreign_key="budget.scope")
    reserved: int = Field(sa_column=_amount())
    reserved_tokens: int = Field(sa_column=_amount())
    attempt: str = Field(sa_column=Column(Text, nullable=False))
    reserved_at: str
    expires_at: str = Field(index=True)


class LedgerRow(SQLModel, table=True):
    """One send that ended. Rows are only ever added."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_task_id_subtask_id", "task_id", "subtask_id"),)

    attempt_id: str = Field(primary_key=True)
    owner: str = LOCAL_OWNER
    task_id: str
    subtask_id: str
    specialist: str
    purpose: str
    provider: str
    model: str
    outcome: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False
    priced: bool = True
    cost: int = Field(default=0, sa_column=_amount())
    overrun: int = Field(default=0, sa_column=_amount())
    latency_s: float = 0.0
    first_token_s: float | None = None
    error: str = ""
    settled_at: str
    cache_hit: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, default=False, server_default="0"))
    key_id: str = Field(default="", sa_column=Column(String, nullable=False, default="", server_default=text("''")))
    cache_write_tokens: int = Field(default=0, sa_column=Column(Integer, nullable=False, default=0, server_default="0"))


class ProviderKeyRow(SQLModel, table=True):
    """An API key of a provider, encrypted by the master key of that id."""

    __tablename__ = "provider_key"

    id: str = Field(primary_key=True)
    owner: str = LOCAL_OWNER
    provider: str = Field(index=True)
    label: str = ""
    last4: str = ""
    added_at: str
    master_key_id: str
    nonce: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    ciphertext: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ReplyRow(SQLModel, table=True):
    """A model's reply that may be given again. ``size`` is what it counts for, in bytes."""

    __tablename__ = "reply_cache"
    __table_args__ = (Index("ix_reply_cache_used_at_key_size", "used_at", "key", "size"),)

    key: str = Field(primary_key=True)
    owner: str = LOCAL_OWNER
    reply: str = Field(sa_column=Column(Text, nullable=False))
    size: int
    made_at: str = Field(index=True)
    used_at: str


def table(row: type[SQLModel]) -> Table:
    """The table of a row class, for statements without the ORM."""
    return SQLModel.metadata.tables[str(row.__tablename__)]


class AuditRow(SQLModel, table=True):
    """One call of a tool. Rows are only ever added."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_task_id_number", "task_id", "number"),)

    number: int | None = Field(default=None, primary_key=True)
    at: str
    owner: str = LOCAL_OWNER
    actor: str
    task_id: str = ""
    subtask_id: str = ""
    tool: str
    verdict: str
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    duration_s: float
    size: int = Field(default=0, sa_column=_amount())
