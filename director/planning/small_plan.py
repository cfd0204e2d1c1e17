"""Plans for requests that one or two subtasks will do for: no model is asked for them."""

import re

from director.evidence.examples.reading import find_examples
from director.planning.kinds import FENCE, guess_kind
from director.planning.languages import find_frameworks, find_language
from director.planning.one_module import wants_one_module
from director.planning.signatures import stubs_in, stubs_of
from domain.files import FileTree, is_test_file
from domain.plan import Plan, StubFile, Subtask
from domain.strategy import Planning
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from sandbox.languages import PYTHON
from specialists.role_files import load_roles

SMALL_CHARACTERS = 2_000
SMALL_POINTS = 8
GOAL_CHARACTERS = 4_000
POINT = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE)

REPRODUCE = (
    "Write tests that show what is wrong: they fail on the code as it is, by an assertion, and pass once it is mended."
)
PIN_DOWN = "Write tests that pin down what the code does today: they pass on the code as it is."
COVER = "Change nothing but tests. They pass on the code as it is, and would fail if the code did something else."


def small_plan(spec: TaskSpec, files: FileTree) -> Plan | None:
    """A plan made without a model; None where the request needs one.

    With ``Planning.NEVER`` there always is one.
    """
    guess = guess_kind(spec.prompt, bool(files))
    kind = spec.strategy.kind or guess.kind
    stubs = _stubs(spec, files, kind)
    sure = spec.strategy.kind is not None or guess.sure or bool(stubs)
    nodes = _nodes(spec, files, kind, stubs) if sure and is_small(spec.prompt) else None
    if spec.strategy.planning is Planning.ALWAYS or (nodes is None and spec.strategy.planning is Planning.AUTO):
        return None
    return _plan(spec, files, kind, nodes or (_work(spec),), stubs)


def one_node(spec: TaskSpec, files: FileTree) -> Plan:
    """One specialist does it all."""
    kind = spec.strategy.kind or guess_kind(spec.prompt, bool(files)).kind
    return _plan(spec, files, kind, (_work(spec),), _stubs(spec, files, kind))


def _stubs(spec: TaskSpec, files: FileTree, kind: TaskKind) -> tuple[StubFile, ...]:
    """The one new Python file that the request describes, by signatures or else by examples."""
    if kind is not TaskKind.NEW_CODE or files or find_language(spec.prompt, files) is not PYTHON:
        return ()
    if (found := stubs_in(spec.prompt)) or not wants_one_module(spec.prompt):
        return found
    return stubs_of(find_examples(spec.prompt), spec.prompt)


def is_small(prompt: str) -> bool:
    """Whether a request is short, what it shows in fences left out, and no long list."""
    text = FENCE.sub("", prompt)
    return len(text) <= SMALL_CHARACTERS and len(POINT.findall(text)) <= SMALL_POINTS


def _plan(
    spec: TaskSpec, files: FileTree, kind: TaskKind, nodes: tuple[Subtask, ...], stubs: tuple[StubFile, ...]
) -> Plan:
    language = find_language(spec.prompt, files)
    framework = next(iter(find_frameworks(files, language)), "")
    return Plan(kind=kind, subtasks=nodes, files=stubs, language=language.name, framework=framework)


def _nodes(spec: TaskSpec, files: FileTree, kind: TaskKind, stubs: tuple[StubFile, ...]) -> tuple[Subtask, ...] | None:
    """The subtasks; None where it takes a model to find them."""
    given = bool(spec.protected_paths or spec.test_command)
    tested = any(map(is_test_file, files))
    match kind:
        case TaskKind.QUESTION:
            return (_work(spec, "answer"),)
        case TaskKind.ADD_TESTS:
            return (_tests(spec, COVER),)
        case TaskKind.REFACTOR:
            return (_work(spec),) if given or tested else (_tests(spec, PIN_DOWN), _work(spec, needs=("tests",)))
        case _ if given:
            return (_work(spec),)
        case TaskKind.FIX:
            return (_tests(spec, REPRODUCE), _work(spec, needs=("tests",)))
        case TaskKind.NEW_CODE if stubs:
            return (_tests(spec), _work(spec, needs=("tests",)))
        case _:
            return None


def _work(spec: TaskSpec, name: str = "code", needs: tuple[str, ...] = ()) -> Subtask:
    role = "general" if name == "answer" and "general" in load_roles() else "code"
    return Subtask(id=name, role=role, goal=spec.prompt[:GOAL_CHARACTERS], needs=needs)


def _tests(spec: TaskSpec, how: str = "") -> Subtask:
    goal = spec.prompt[:GOAL_CHARACTERS]
    said = f"{how}\n\nThe request:\n{goal}" if how else f"Write tests for this request:\n{goal}"
    return Subtask(id="tests", role="test", goal=said)
