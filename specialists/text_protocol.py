"""Actions in plain text, for models that cannot call tools."""

import json
import re
from functools import cache
from importlib import resources

from domain.chat import ToolCall

BLOCK = re.compile(r"^[ \t]*(`{3,9}|~{3,9})[ \t]*([^\n`]*)\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
PATH = r"[\w./-]*[\w-]+\.\w{1,8}"
PATH_IN_INFO = re.compile(rf"(?:path|file|filename|title)\s*[=:]\s*[\"']?({PATH})|(?:^|[\s:])({PATH})\s*$")
PATH_COMMENT = re.compile(rf"^\s*(?:#|//|--|<!--)\s*(?:file(?:name)?:|path:)?\s*({PATH})\s*(?:-->)?\s*$")
PATH_BEFORE = re.compile(rf"(?:[`*\"']|\bfile\s*:?\s|^#+\s|^)({PATH})[`*\"':\s]*$", re.IGNORECASE)
SUBMIT = re.compile(r"^[^\w\n]{0,20}SUBMIT(?!\w)[*_`]*[ \t]*(?::(.*))?$", re.MULTILINE)
DEFINITION = re.compile(r"^(?:async def|def|class) (\w+)", re.MULTILINE)
LINE_CHARACTERS = 300
"""As much of a line as is searched for a path."""
SHELLS = frozenset({"sh", "bash", "shell", "console", "zsh", "terminal"})


@cache
def instructions() -> str:
    """What a model without tools is told."""
    return resources.files("specialists").joinpath("text_protocol.md").read_text(encoding="utf-8")


def parse(text: str, targets: tuple[str, ...] = ()) -> tuple[ToolCall, ...]:
    """The actions in a reply: files first, in order, or else one command, or else a submission.

    A block belongs to the path in its info string, in its first line as a comment, or right before it. A single
    code block without a path is the file in ``targets``, when there is just one; without targets, a file named after
    what it defines. Nothing fits: no action.
    """
    files: list[ToolCall] = []
    commands: list[ToolCall] = []
    nameless: list[str] = []
    for match in BLOCK.finditer(text):
        info, body = match[2].strip(), match[3]
        path = _path(info, body, text[: match.start()])
        language = info.split()[0].lower() if info else ""
        if path is not None:
            files.append(_call("write_file", path=path, content=_without_path(body)))
        elif language in SHELLS:
            command = "\n".join(line.removeprefix("$ ") for line in body.strip().splitlines())
            if command:
                commands.append(_call("shell", command=command))
        elif body.strip() and not SUBMIT.fullmatch(body.strip()):
            nameless.append(body)
    if not files and len(nameless) == 1 and (target := _target(nameless[0], targets)):
        files.append(_call("write_file", path=target, content=nameless[0]))
    submitted = SUBMIT.search(BLOCK.sub(_submission_only, text))
    actions = [*files, *([] if files else commands[:1])]
    if not actions and submitted:
        actions = [_call("submit", summary=(submitted[1] or "").strip(" *_`") or "done")]
    return tuple(call.model_copy(update={"id": f"text_{at}"}) for at, call in enumerate(actions))


def _submission_only(block: "re.Match[str]") -> str:
    """Nothing in place of a block, but for a submission that somebody put into one."""
    body = block[3].strip()
    return body if SUBMIT.fullmatch(body) else ""


def _without_path(body: str) -> str:
    first, newline, rest = body.partition("\n")
    return rest if newline and PATH_COMMENT.match(first[:LINE_CHARACTERS]) else body


def _target(body: str, targets: tuple[str, ...]) -> str | None:
    """Where a block without a path belongs: the one target, or else a file named after what it defines."""
    if len(targets) == 1:
        return targets[0]
    defined = DEFINITION.search(body)
    return f"{defined[1].lower()}.py" if defined and not targets else None


def _path(info: str, body: str, before: str) -> str | None:
    info, first = info[:LINE_CHARACTERS], body.split("\n", 1)[0][:LINE_CHARACTERS]
    if found := PATH_IN_INFO.search(info):
        return _clean(found[1] or found[2])
    if found := PATH_COMMENT.match(first):
        return _clean(found[1])
    last_line = before[-LINE_CHARACTERS:].rstrip().rsplit("\n", 1)[-1]
    if found := PATH_BEFORE.search(last_line):
        return _clean(found[1])
    return None


def _clean(path: str) -> str:
    return path.removeprefix("/workspace/").removeprefix("./")


def _call(name: str, **arguments: str) -> ToolCall:
    return ToolCall(id="", name=name, arguments=json.dumps(arguments))
