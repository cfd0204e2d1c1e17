"""The history of the repository that the files came from."""

from pydantic import BaseModel, ConfigDict, Field

from domain.past import LineOrigin, Past, PastCommit
from domain.text import one_line, plain
from mcp_server.caller import Permission
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.tools.paths import FolderPath
from mcp_server.untrusted import untrusted

PATCH_CHARACTERS = 200_000
SHOWN_ID = 12
MOST_LINES = 400


class GitHistory(BaseModel):
    """Arguments of git_history."""

    model_config = ConfigDict(extra="forbid")

    path: FolderPath | None = Field(default=None, description="file or folder; the whole repository when left out")
    commit: str | None = Field(
        default=None, pattern=r"^[0-9a-fA-F]{6,40}$", description="id of a commit whose changes to show"
    )
    limit: int = Field(default=10, ge=1, le=100, description="most commits to list")
    start: int | None = Field(default=None, ge=1, description="with path: show who last changed the lines from here")
    end: int | None = Field(default=None, ge=1, description="to here")


class History(BaseModel):
    """Commits, the newest first, without their messages but for the first line; or the origins of lines."""

    commits: tuple[PastCommit, ...] = ()
    lines: tuple[LineOrigin, ...] = ()


async def _history(session: ToolSession, arguments: GitHistory) -> ToolOutcome:
    past = await session.past()
    if past is None:
        raise ToolRefused("The files of this task came from no git repository, so there is no history.")
    path = None if arguments.path == "." else arguments.path
    try:
        if arguments.commit is not None:
            return await _commit(past, arguments.commit, path)
        if arguments.start is not None or arguments.end is not None:
            return await _lines(past, path, arguments)
        return await _log(past, path, arguments.limit)
    except KeyError:
        if arguments.commit is None and arguments.start is None and arguments.end is None:
            raise ToolRefused("The history cannot be read whole: a part of it is missing. Do without it.") from None
        what = f"commit {arguments.commit}" if arguments.commit else f"such lines of {one_line(path or '')}"
        raise ToolRefused(f"The history knows no {what}. List commits with git_history() first.") from None


async def _log(past: Past, path: str | None, limit: int) -> ToolOutcome:
    log = await past.log(path, limit)
    lines = [_shown(commit) for commit in log.commits] or ["no commit"]
    if not log.whole and len(log.commits) < limit:
        lines.append(f"[only the newest {log.looked_at} commits were looked at]")
    return _outcome("\n".join(lines), History(commits=tuple(map(_headed, log.commits))))


async def _commit(past: Past, prefix: str, path: str | None) -> ToolOutcome:
    commit = await past.commit(prefix)
    patch = await past.patch(commit.id, path, PATCH_CHARACTERS)
    head = f"commit {commit.id}\nby {one_line(commit.author)}, {commit.when:%Y-%m-%d}\n\n{plain(commit.message)}"
    return _outcome(f"{head}\n\n{plain(patch) or '[it changed nothing there]'}", History(commits=(_headed(commit),)))


async def _lines(past: Past, path: str | None, arguments: GitHistory) -> ToolOutcome:
    first = arguments.start or 1
    last = arguments.end or first + MOST_LINES - 1
    if path is None or last < first:
        raise ToolRefused("Lines have an origin in a file: give `path`, and `end` not before `start`.")
    origins = await past.lines(path, first, min(last, first + MOST_LINES - 1))
    shown = "\n".join(
        f"{one.first}-{one.last}: {_shown(one.commit)}{' [or earlier]' if one.or_earlier else ''}" for one in origins
    )
    told = tuple(one.model_copy(update={"commit": _headed(one.commit)}) for one in origins)
    return _outcome(shown, History(lines=told))


def _shown(commit: PastCommit) -> str:
    return f"{commit.id[:SHOWN_ID]} {commit.when:%Y-%m-%d} {one_line(commit.author, 40)}: {one_line(commit.message)}"


def _headed(commit: PastCommit) -> PastCommit:
    return commit.model_copy(update={"message": one_line(commit.message), "author": one_line(commit.author)})


def _outcome(text: str, data: History) -> ToolOutcome:
    return ToolOutcome(text=untrusted("the repository's history", text), data=data)


HISTORY_TOOLS = (
    Tool(
        name="git_history",
        description=(
            "Shows the repository's history before this task: commits, those that changed a path, one commit's "
            "changes, or who last changed lines of a file."
        ),
        session=ToolSession,
        arguments=GitHistory,
        permission=Permission.READ,
        handler=_history,
        example={"path": "src/app.py", "limit": 10},
        data=History,
        read_only=True,
        idempotent=True,
        limits=ToolLimits(timeout_s=60),
    ),
)
