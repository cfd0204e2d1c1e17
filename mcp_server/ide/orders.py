"""What somebody may ask for with ``run_task``, and the order that comes of it."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.approval import ApprovalPolicy
from domain.errors import HostileOutput
from domain.files import File, FileTree, vet_path
from domain.money import from_usd
from domain.strategy import Strategy
from domain.task import Limits, vet_prompt
from domain.task_service import Origin, TaskOrder
from mcp_server.ide.session import IdeSession
from mcp_server.tool import ToolRefused

MIB = 1024 * 1024
MOST_FILES = 500
MOST_FILE_BYTES = MIB
MOST_BYTES = 8 * MIB
LONGEST_WAIT_S = 12 * 3600.0
USUAL = Limits()


class RunLimits(BaseModel):
    """What the task may use."""

    model_config = ConfigDict(extra="forbid")

    budget_usd: Decimal | None = Field(
        default=None, gt=0, le=1_000_000, description="the most that the models may cost, in USD"
    )
    max_tokens: int = Field(default=USUAL.max_tokens, gt=0, le=10**10, description="the most tokens in all")
    max_steps: int | None = Field(default=None, gt=0, le=10_000, description="the most steps of one specialist")
    wall_clock_s: float = Field(default=USUAL.wall_clock_s, gt=0, le=86_400, description="the most seconds of work")
    max_attempts: int = Field(default=USUAL.max_attempts, gt=0, le=20, description="the most attempts to mend the work")

    def as_limits(self) -> Limits:
        """The limits of the task."""
        return Limits(
            budget=None if self.budget_usd is None else from_usd(self.budget_usd), max_tokens=self.max_tokens,
            max_steps=self.max_steps, wall_clock_s=self.wall_clock_s, max_attempts=self.max_attempts,
        )  # fmt: skip


class RunTask(BaseModel):
    """Arguments of run_task."""

    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(description="what to build or fix, in plain words")
    files: dict[str, str] = Field(
        default_factory=dict,
        max_length=MOST_FILES,
        description="text files to start from, by their path; on top of the folder's, where there is one",
    )
    folder: str | None = Field(
        default=None, max_length=4096, description="the full path of a git repository here; its last commit is taken"
    )
    tests: list[str] = Field(
        default_factory=list,
        max_length=MOST_FILES,
        description="paths among those files that hold your tests: nobody may change them, and passing them is proof",
    )
    test_command: str | None = Field(
        default=None, min_length=1, max_length=10_000, description="a shell command that exits with 0 when all is well"
    )
    model: str | None = Field(
        default=None, min_length=1, max_length=1000, description="PROVIDER/ID, several with commas; else the usual one"
    )
    limits: RunLimits = Field(default_factory=RunLimits, description="what the task may use")
    approval: ApprovalPolicy = Field(
        default=ApprovalPolicy.AUTO, description="which calls of tools somebody is asked about"
    )
    strategy: Strategy = Field(default_factory=Strategy, description="how the task is gone about")
    install: bool = Field(default=False, description="install what requirements.txt asks for first")
    wait: bool = Field(default=False, description="answer when the task has ended, and tell how it gets on meanwhile")

    @field_validator("prompt")
    @classmethod
    def _sensible(cls, prompt: str) -> str:
        return vet_prompt(prompt)

    @field_validator("files")
    @classmethod
    def _plain(cls, files: dict[str, str]) -> dict[str, str]:
        sizes = [_size(path, text) for path, text in files.items()]
        if sum(sizes) > MOST_BYTES:
            raise ValueError(f"the files are larger than {MOST_BYTES // MIB} MiB together; give a folder instead")
        return files


def _size(path: str, text: str) -> int:
    try:
        vet_path(path)
        size = len(text.encode())
    except HostileOutput as error:
        raise ValueError(str(error)) from error
    except UnicodeEncodeError:
        raise ValueError(f"{path} is no text that can be encoded in UTF-8") from None
    if size > MOST_FILE_BYTES:
        raise ValueError(f"{path} is larger than {MOST_FILE_BYTES // MIB} MiB; give a folder instead")
    return size


async def order_of(session: IdeSession, wanted: RunTask) -> tuple[TaskOrder, tuple[str, ...]]:
    """The order, and what its owner should know of the files. ToolRefused, UsageError."""
    files: FileTree = {}
    origin: Origin | None = None
    notes: tuple[str, ...] = ()
    if wanted.folder is not None:
        if session.folders is None:
            raise ToolRefused("Folders cannot be read here. Give the text of the files instead.")
        imported = await session.folders.read(wanted.folder)
        files, origin, notes = imported.files, imported.origin, imported.notes
    files = files | {path: File(content=text.encode()) for path, text in wanted.files.items()}
    _check_folders(files)
    order = TaskOrder(
        owner=session.owner, prompt=wanted.prompt, files=files, origin=origin, tests=tuple(wanted.tests),
        model=wanted.model, test_command=wanted.test_command, install=wanted.install, limits=wanted.limits.as_limits(),
        approval=wanted.approval, strategy=wanted.strategy,
    )  # fmt: skip
    return order, notes


def _check_folders(files: FileTree) -> None:
    """ToolRefused where a path is a file and a folder at once."""
    for path in files:
        parts = path.split("/")
        above = next(("/".join(parts[:end]) for end in range(1, len(parts)) if "/".join(parts[:end]) in files), None)
        if above is not None:
            raise ToolRefused(f"{above} is a file, and {path} needs it to be a folder. Leave one of them out.")
