"""One permission check and one answer for every call, over the real MCP transport."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcp_server.caller import Permission
from mcp_server.registry import Registry
from mcp_server.tool import ToolLimits
from mcp_server.tools import SPECIALIST_TOOLS
from tests.mcp_server.place import ALL, open_place

FILES = {"app.py": "x = 1\ny = 2\n", "colour.txt": "\x1b[31mred\x1b[0m\n"}
NAMES = sorted(tool.name for tool in SPECIALIST_TOOLS)
READING = ["git_history", "outline", "read_artifact", "read_file", "repo_map", "search", "search_docs"]


async def test_a_role_is_shown_only_the_tools_that_it_may_use(tmp_path: Path) -> None:
    permissions = frozenset({Permission.READ, Permission.SUBMIT})
    async with open_place(tmp_path, FILES, permissions=permissions) as place:
        schemas = await place.client.schemas()
        assert [schema.name for schema in schemas] == [*READING, "submit"]
        assert all(schema.parameters["type"] == "object" and schema.description for schema in schemas)


async def test_a_role_with_every_permission_is_shown_every_tool(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        assert [schema.name for schema in await place.client.schemas()] == NAMES


async def test_a_tool_that_is_not_for_the_role_does_nothing_and_says_which_are(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, permissions=frozenset({Permission.READ})) as place:
        observation = await place.call("write_file", path="app.py", content="x")
        assert not observation.ok
        assert f"is not for your role. Use one of: {', '.join(READING)}." in observation.text
        assert (await place.tree())["app.py"].content == FILES["app.py"].encode()


async def test_a_tool_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        for name in ("nothing", "", "read_file\n", "Shell", "a" * 10_000, "\x1b[31mshell"):
            observation = await place.client.call(name, {})
            assert not observation.ok
            assert f"does not exist. Use one of: {', '.join(NAMES)}." in observation.text
            assert len(observation.text) < 500


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("read_file", {}, "path: Field required"),
    ("read_file", {"path": "../x"}, "leaves the workspace"),
    ("read_file", {"path": "/etc/passwd"}, "leaves the workspace"),
    ("read_file", {"path": "app.py", "start": 0}, "start: "),
    ("write_file", {"path": ".git/config", "content": ""}, "version control"),
    ("write_file", {"path": "a", "content": 1}, "content: "),
    ("shell", {"command": "ls", "timeout": 5}, "timeout: Extra inputs"),
    ("shell", {"command": "ls", "timeout_s": 1e9}, "timeout_s: "),
    ("shell", {"command": ""}, "command: "),
    ("submit", {"summary": "x" * 4001}, "summary: "),
    ("run_tests", {"selection": [1]}, "selection.0: "),
]


async def test_wrong_arguments_are_answered_with_the_problem_and_a_valid_example(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        for name, arguments, problem in WRONG:
            observation = await place.client.call(name, arguments)
            assert not observation.ok
            assert problem in observation.text
            tool = Registry(SPECIALIST_TOOLS).get(name)
            assert tool is not None
            assert json.loads(observation.text.partition("A valid example: ")[2]) == tool.example


IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("shell", {"command": "echo a\0b"}),
    ("shell", {"command": "#" + "é" * 90_000}),
    ("search", {"pattern": "a\0b"}),
    ("search", {"pattern": "a", "path": "a\0b"}),
    ("search", {"pattern": "a", "path": "a" * 200_000}),
    ("run_tests", {"selection": ["a\0b"]}),
    ("run_tests", {"selection": ["a" * 200_000]}),
]


async def test_what_no_command_can_hold_is_answered_and_not_raised(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        for name, arguments in IMPOSSIBLE:
            observation = await place.client.call(name, arguments)
            assert not observation.ok
            reasons = ("NUL", "128 KiB", "characters", "control character", "1024 bytes", "no test file")
            assert any(reason in observation.text for reason in reasons)


async def test_a_huge_observation_is_cut_in_the_middle(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        observation = await place.call("shell", command="echo first; yes | head -c 200000; echo last")
        assert len(observation.text) < ToolLimits().shown + 150
        assert observation.text.startswith("first\n")
        assert "last\n[Exit code 0.]" in observation.text
        assert "characters left out" in observation.text


COLOURED: list[tuple[str, dict[str, Any]]] = [
    ("read_file", {"path": "colour.txt"}),
    ("search", {"pattern": "red", "path": "colour.txt"}),
    ("shell", {"command": r"printf '\033[31mred\033[0m\033]0;title\007'"}),
    ("edit_file", {"path": "colour.txt", "old": "rad", "new": "green"}),
    ("shell", {"\x1b[31mred": 1}),
    ("write_file", {"path": "red\u202etxt.exe", "content": ""}),
    ("read_file", {"path": "a/red\u202etxt.exe"}),
]


async def test_no_answer_holds_terminal_escapes_or_control_characters(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        for name, arguments in COLOURED:
            text = (await place.client.call(name, arguments)).text
            assert "red" in text
            assert not {"\x1b", "\x07", "\u202e"} & set(text), (name, arguments)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
KEYS = st.sampled_from(
    ["path", "content", "old", "new", "start", "end", "pattern", "selection", "summary", "timeout_s"]
)
# Commands and paths must stay harmless: this sandbox contains nothing.
COMMAND = st.text(st.characters(exclude_characters="\n\r"), max_size=20).map("# {}".format) | st.just("exit 3")
PATH = st.text(st.characters(exclude_characters="./"), max_size=20) | st.sampled_from(["app.py", ".", "nothing", "-r"])
LIKELY = st.one_of(
    st.tuples(st.just("shell"), st.fixed_dictionaries({"command": COMMAND}, optional={"timeout_s": st.floats(0, 5)})),
    st.tuples(st.just("search"), st.fixed_dictionaries({"pattern": st.text(max_size=20), "path": PATH})),
    st.tuples(st.just("write_file"), st.fixed_dictionaries({"path": PATH, "content": st.text(max_size=50)})),
    st.tuples(
        st.just("read_file"), st.fixed_dictionaries({"path": PATH}, optional={"start": JSON, "end": st.integers()})
    ),
    st.tuples(st.just("edit_file"), st.fixed_dictionaries({"path": PATH, "old": st.text(), "new": st.text()})),
    st.tuples(st.just("submit"), st.fixed_dictionaries({"summary": st.text(max_size=4001)})),
)
ANY = st.tuples(st.sampled_from(NAMES) | st.text(), st.dictionaries(KEYS, JSON, max_size=4))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(LIKELY | ANY, max_size=20))
def test_any_call_with_any_arguments_gets_an_answer(calls: list[tuple[str, dict[str, Any]]]) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with open_place(Path(folder), FILES, permissions=ALL - {Permission.TEST}) as place:
                for name, arguments in calls:
                    observation = await place.client.call(name, arguments)
                    assert observation.text
                    assert len(observation.text) < ToolLimits().shown + 150
                await place.tree()

    asyncio.run(play())
