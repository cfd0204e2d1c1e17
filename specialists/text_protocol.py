"""Actions in plain text, for models that cannot call tools."""

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

from domain.chat import ToolSchema
from domain.replies import ReplyProblem
from specialists.reading import edits
from specialists.reading.action import Action, Doubtful, Reading, action
from specialists.reading.fences import Block, blocks
from specialists.reading.known_tools import KnownTools
from specialists.reading.mending import is_python, mended, mended_command, parsed
from specialists.reading.paths import EXTENSIONS, PLAIN, SHELLS, extension_of, fits, in_comment, language_of
from specialists.reading.thoughts import RESULT, without_thoughts
from specialists.reading.written_calls import Found, unfenced, whole_block, written_calls

MOST_CHARACTERS = 2_000_000
SUBMIT = re.compile(r"^[^\w\n]{0,20}SUBMIT(?!\w)[*_`]*[ \t]*(?::(.*))?$", re.MULTILINE)
LAST_SUBMIT = re.compile(r"[^\w\n]{0,20}submit[*_`]*[ \t]*:(.*)", re.IGNORECASE)
DEFINITION = re.compile(r"^(?:async def|def|class) (\w+)", re.MULTILINE)
PROMPT = "$ "
UNNAMED_DATA = frozenset({"json", "yaml", "yml", "toml", "diff", "patch", "html", "sql", "xml"})


@cache
def instructions() -> str:
    """What a model without tools is told."""
    return resources.files("specialists").joinpath("text_protocol.md").read_text(encoding="utf-8")


def read(text: str, targets: Sequence[str] = (), tools: Sequence[ToolSchema] = (), cut_off: bool = False) -> Reading:
    """The actions in a reply: files, edits and written calls in order, or else one command, or else a submission.

    A block belongs to the path in its info string, in its first line as a comment, or right before it. A single
    code block without a path is the file in ``targets``, when there is just one; without targets, a file named after
    what it defines. A reply that was ``cut_off`` at its limit writes no file whose end is missing. Where an action
    would be a guess there is none, and the problem says why.
    """
    said = without_thoughts(unfenced(text[:MOST_CHARACTERS].replace("\r\n", "\n")))
    if text.strip() and not said.strip():
        return Reading(problem=ReplyProblem.CUT_OFF if cut_off else ReplyProblem.ONLY_THOUGHT)
    reader = _Reader(said, targets, KnownTools(tools), cut_off)
    try:
        actions = reader.actions()
    except Doubtful as doubt:
        return Reading(problem=doubt.problem, said=said)
    if not actions:
        return Reading(problem=reader.problem, said=said)
    numbered = (
        one.model_copy(update={"call": one.call.model_copy(update={"id": f"text_{at}"})})
        for at, one in enumerate(actions)
    )
    return Reading(actions=tuple(numbered), said=said)


class _Reader:
    """Reads one reply. ``problem`` says why it holds no action."""

    def __init__(self, text: str, targets: Sequence[str], tools: KnownTools, cut_off: bool) -> None:
        self._text = text
        self._targets = targets
        self._tools = tools
        self._cut_off = cut_off
        self._work: list[tuple[int, Action]] = []
        self._commands: list[tuple[int, Action]] = []
        self._nameless: list[Block] = []
        self.problem = ReplyProblem.CUT_OFF if cut_off else ReplyProblem.NO_ACTION

    def actions(self) -> list[Action]:
        """What the reply asks for; Doubtful where that is unsure and matters."""
        found = blocks(self._text)
        for block in found:
            self._read_block(block)
        outside = self._outside(found)
        alone = () if found else whole_block(self._text, self._tools)
        for call in [Found(0, len(self._text), alone)] if alone else written_calls(outside, self._tools):
            self._add(call)
        if not self._work and len(self._nameless) == 1:
            self._read_nameless(self._nameless[0])
        elif self._nameless and not self._work and not self._commands:
            self.problem = ReplyProblem.NO_PATH
        self._drop_made_up(outside)
        if self._work:
            return [one for _, one in sorted(self._work, key=lambda placed: placed[0])]
        if self._commands:
            return [self._commands[0][1]]
        return self._submission(outside)

    def _add(self, found: Found) -> None:
        self._work += [(found.start, one) for one in found.actions]

    def _read_block(self, block: Block) -> None:
        language, body = language_of(block.info), block.body
        if edits.is_replacement(body):
            self._place(block, edits.from_replacement(block.path, _without_path(body, block.path)))
        elif edits.is_diff(language, block.path, body):
            self._place(block, edits.from_diff(block.path, body))
        elif block.path is not None:
            self._check_end(block, block.path)
            content = _without_path(body, block.path)
            made = mended(block.path, content)
            repair = "escaped content" if made != content else ""
            self._place(block, [action("write_file", {"path": block.path, "content": made}, repair)])
        elif written := whole_block(body, self._tools):
            self._add(Found(block.start, block.end, written))
        elif language in SHELLS:
            self._read_command(block)
        elif body.strip() and not SUBMIT.fullmatch(body.strip()):
            self._nameless.append(block)

    def _read_command(self, block: Block) -> None:
        command = SUBMIT.sub("", _command(block.body)).strip()
        made = mended_command(command)
        if command and self._cut_off and not block.whole:
            raise Doubtful(ReplyProblem.CUT_OFF)
        if command:
            repair = "an escaped command" if made != command else ""
            self._commands.append((block.start, action("shell", {"command": made}, repair)))

    def _read_nameless(self, block: Block) -> None:
        """Takes a block without a path for the one file that it can be."""
        path = _target(block, self._targets)
        if path is None:
            self.problem = self.problem if self._commands else ReplyProblem.NO_PATH
            return
        self._check_end(block, path)
        made = mended(path, block.body)
        self._place(block, [action("write_file", {"path": path, "content": made})])

    def _check_end(self, block: Block, path: str) -> None:
        """Doubtful for a block whose end is not sure; Python that is whole as far as it goes is taken."""
        if block.whole:
            return
        if self._cut_off:
            raise Doubtful(ReplyProblem.CUT_OFF)
        at_the_end = block.end >= len(self._text)
        python = extension_of(path) in {"py", "pyi"}
        if is_python(block.body) if python else at_the_end and "\n```" not in block.body:
            return
        raise Doubtful(ReplyProblem.DOUBTFUL_BLOCK)

    def _place(self, block: Block, actions: Sequence[Action]) -> None:
        self._work += [(block.start, one) for one in actions]

    def _outside(self, found: Sequence[Block]) -> str:
        """The text with nothing but line ends and blanks in place of blocks, so that places stay the same."""
        parts, end = [], 0
        for block in found:
            body = block.body.strip()
            kept = f"\n{body}\n" if SUBMIT.fullmatch(body) else ""
            parts += [self._text[end : block.start], kept.ljust(block.end - block.start, "\n")]
            end = block.end
        return "".join([*parts, self._text[end:]])

    def _drop_made_up(self, outside: str) -> None:
        """Drops what follows results that the model made up for actions of its own."""
        every = [at for at, _ in (*self._work, *self._commands)]
        result = RESULT.search(outside, min(every)) if every else None
        if result:
            self._work = [placed for placed in self._work if placed[0] < result.start()]
            self._commands = [placed for placed in self._commands if placed[0] < result.start()]
        if any(one.call.name != "submit" for _, one in self._work):
            # What is handed in must have been seen first.
            self._work = [placed for placed in self._work if placed[1].call.name != "submit"]

    def _submission(self, outside: str) -> list[Action]:
        lines = outside.strip().rsplit("\n", 1)
        if found := SUBMIT.search(outside) or LAST_SUBMIT.fullmatch(lines[-1].strip()):
            return [action("submit", {"summary": (found[1] or "").strip(" *_`") or "done"})]
        return []


def _command(body: str) -> str:
    """The commands of a block; where it shows a session, those at its prompts and not what came of them."""
    lines = body.strip().splitlines()
    session = bool(lines) and lines[0].startswith(PROMPT) and not any("<<" in line for line in lines)
    kept: list[str] = []
    for line in lines:
        if not session or line.startswith(PROMPT) or (kept and kept[-1].endswith("\\")):
            kept.append(line.removeprefix(PROMPT))
    return "\n".join(kept)


def _without_path(body: str, path: str | None) -> str:
    """A body without a first line that only names its file; one that names another file belongs to the content."""
    first, newline, rest = body.partition("\n")
    return rest if newline and path and in_comment(first[:300]) == path else body


def _target(block: Block, targets: Sequence[str]) -> str | None:
    """Where a block without a path belongs: the one target, or else a file named after what it defines."""
    language, body = language_of(block.info), block.body
    if len(targets) == 1:
        path = targets[0]
        if not fits(language, path) or (language in UNNAMED_DATA and language not in EXTENSIONS):
            return None
        code = language in EXTENSIONS and language not in PLAIN
        python = extension_of(path) in {"py", "pyi"}
        return path if code or not python or _defines(mended(path, body)) else None
    defined = DEFINITION.search(body)
    return f"{defined[1].lower()}.py" if defined and not targets else None


def _defines(body: str) -> bool:
    """Whether a text is Python that does something, and not output that could be read as Python."""
    module = parsed(body)
    return module is not None and any(type(statement).__name__ not in {"Expr", "Pass"} for statement in module.body)
