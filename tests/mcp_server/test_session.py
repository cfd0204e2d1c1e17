"""Three views of the files in step, and protected files that stay as they are."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.files import File
from mcp_server.protection import Protection
from tests.mcp_server.place import Place, open_place

TEST, SPEC = "tests/test_a.py", "tests/spec.py"
FILES = {TEST: "def test_a():\n    assert 1\n", SPEC: "y = 1\n", "app.py": "x = 1\n", "tests/data/one.txt": "1\n"}
PROTECTION = Protection(protected=("test_*.py",), kept=frozenset({SPEC}))

TAMPERING = {
    "edit": f"echo pass > {TEST}",
    "append": f"echo '# more' >> {SPEC}",
    "delete": f"rm {TEST} {SPEC}",
    "rename": "mv tests/test_a.py tests/a.py; mv tests/spec.py spec.py",
    "move the folder": "mv tests checks",
    "delete the folder": "rm -r tests",
    "chmod": f"chmod +x {TEST}",
    "empty": f": > {TEST}; : > {SPEC}",
    "add another": "echo 'def test_b(): assert 1' > tests/test_b.py",
    "folder by file": "rm -r tests; echo x > tests",
    "folder by link": "rm -r tests; mkdir other; ln -s other tests",
    "file by link": f"ln -sf ../app.py {TEST}; ln -sf ../app.py {SPEC}",
    "file by folder": f"rm {TEST} {SPEC}; mkdir {TEST} {SPEC}; echo x > {TEST}/x; echo x > {SPEC}/x",
    "file by pipe": f"rm {TEST} {SPEC}; mkfifo {TEST} {SPEC}",
    "file out of reach": f"truncate -s 40M {TEST}",
}


async def check_untouched(place: Place) -> None:
    tree = await place.tree()
    assert {path: tree.get(path) for path in (TEST, SPEC)} == {
        path: File(content=FILES[path].encode()) for path in (TEST, SPEC)
    }
    assert not any(path.endswith("test_b.py") for path in tree)


@pytest.mark.parametrize("command", TAMPERING.values(), ids=TAMPERING)
async def test_a_protected_file_that_a_command_changed_is_put_back_and_never_in_a_snapshot(
    command: str, tmp_path: Path
) -> None:
    async with open_place(tmp_path, FILES, PROTECTION) as place:
        before = place.client.commit
        observation = await place.call("shell", command=f"{command}; echo 'x = 22' > app.py")
        await check_untouched(place)
        # What it may change is kept all the same.
        assert place.session.tree["app.py"].content == b"x = 22\n"
        assert "app.py" in observation.changed
        assert not {TEST, SPEC} & set(await place.workspace.paths(before, place.client.commit))
        assert "protected" in observation.text or "Not kept" in observation.text


@pytest.mark.parametrize("path", [TEST, SPEC, "tests", f"{SPEC}/x", f"{TEST}/x", "new/test_b.py"])
async def test_a_protected_file_cannot_be_written_nor_its_place_taken(path: str, tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, PROTECTION) as place:
        before = place.client.commit
        observation = await place.call("write_file", path=path, content="x")
        await check_untouched(place)
        assert not observation.ok
        assert "protected" in observation.text
        assert place.client.commit == before


async def test_a_dropped_change_is_told_to_the_model_and_noted(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, PROTECTION) as place:
        observation = await place.call("shell", command=f"rm {TEST}; touch {TEST}")
        assert observation.dropped == (TEST,)
        assert observation.changed == ()
        assert f"Undone, because these files are protected: {TEST}" in observation.text
        after = await place.call("shell", command="true")
        assert after.dropped == ()
        assert "Undone" not in after.text


async def test_a_role_with_writable_patterns_may_change_nothing_else(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, Protection(writable=("test_*.py",))) as place:
        refused = await place.call("write_file", path="app.py", content="x")
        assert not refused.ok
        assert "You may write: test_*.py" in refused.text
        await place.call("shell", command="echo 1 > app.py; echo 2 > new.txt; echo 3 > test_b.py")
        tree = await place.tree()
        assert tree["app.py"].content == b"x = 1\n"
        assert "new.txt" not in tree
        assert tree["test_b.py"].content == b"3\n"


async def test_links_and_special_files_are_refused_and_noted(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        observation = await place.call("shell", command="ln -s /etc/passwd stolen; mkfifo pipe; touch kept.txt")
        assert "Not kept" in observation.text
        assert {"stolen", "pipe"} <= set(place.session.refused)
        assert set(await place.branch()) == {*FILES, "kept.txt"}


async def test_a_file_that_became_a_link_is_the_same_in_all_views(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        await place.call("shell", command="ln -sf tests/spec.py app.py")
        await place.tree()


async def test_files_in_folders_that_are_never_fetched_are_not_taken_for_deleted(tmp_path: Path) -> None:
    files = {"node_modules/a.js": "1", ".venv/b.py": "2", "__pycache__/c.txt": "3", "app.py": "x = 1\n"}
    async with open_place(tmp_path, files) as place:
        observation = await place.call("shell", command="echo 'x = 22' > app.py")
        assert observation.changed == ("app.py",)
        assert set(await place.tree()) == set(files)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("src", "src is a folder"),
        ("src/sub", "src/sub is a folder"),
        ("README/x", "README is a file, not a folder"),
        ("src/a.py/b/c.py", "src/a.py is a file, not a folder"),
        ("node_modules/left.js", "Nothing below node_modules is kept"),
        ("src/.venv/x.py", "Nothing below .venv is kept"),
        ("htmlcov/index.html", "Nothing below htmlcov is kept"),
        (".coverage", "Nothing below .coverage is kept"),
    ],
)
async def test_a_file_is_never_written_in_place_of_others_nor_where_nothing_is_kept(
    path: str, why: str, tmp_path: Path
) -> None:
    files = {"src/a.py": "A = 1\n", "src/sub/c.py": "C = 1\n", "README": "hello\n", "node_modules/a.js": "1"}
    async with open_place(tmp_path, files) as place:
        observation = await place.call("write_file", path=path, content="oops")
        assert not observation.ok
        assert why in observation.text
        assert {path: file.content.decode() for path, file in (await place.tree()).items()} == files


async def test_a_step_whose_files_are_too_many_leaves_the_views_in_step(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, PROTECTION) as place:
        flood = "mkdir junk && cd junk && seq 20001 | xargs touch"
        observation = await place.call("shell", command=f"echo 'x = 22' > app.py; rm {TEST}; {flood}")
        assert not observation.ok
        assert "Not kept" in observation.text
        await place.call("shell", command="rm -rf junk")
        await check_untouched(place)


async def test_a_quick_change_that_leaves_the_size_as_it_was_is_seen_at_once(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        for number in range(2, 7):
            observation = await place.call("shell", command=f"echo 'x = {number}' > app.py")
            assert observation.changed == ("app.py",)
        await place.tree()


async def test_the_executable_bit_is_kept_when_a_file_is_written_again(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        await place.call("shell", command="chmod +x app.py")
        await place.call("write_file", path="app.py", content="x = 3\n")
        assert (await place.tree())["app.py"] == File(content=b"x = 3\n", executable=True)


PATHS = st.sampled_from(["a", "b", "a/b", "a/c.py", "b/a", "b/test_x.py", "tests/test_a.py", "tests/spec.py", "tests"])
CONTENTS = st.sampled_from(["", "1\n", "2\n"])
WRITES = st.tuples(st.just("write"), PATHS, CONTENTS)
COMMANDS = st.one_of(
    st.builds("rm -rf {}".format, PATHS),
    st.builds("mv {} {}".format, PATHS, PATHS),
    st.builds("mkdir -p {}".format, PATHS),
    st.builds("chmod +x {}".format, PATHS),
    st.builds("echo {} > {}".format, st.integers(0, 2), PATHS),
    st.builds("cp -r {} {}".format, PATHS, PATHS),
).map(lambda command: ("shell", command, ""))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WRITES | COMMANDS, max_size=12))
def test_any_mix_of_writes_and_commands_leaves_the_views_in_step_and_protected_files_untouched(
    steps: list[tuple[str, str, str]],
) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with open_place(Path(folder), FILES, PROTECTION) as place:
                for kind, what, content in steps:
                    if kind == "write":
                        await place.call("write_file", path=what, content=content)
                    else:
                        await place.call("shell", command=what)
                await check_untouched(place)

    asyncio.run(play())
