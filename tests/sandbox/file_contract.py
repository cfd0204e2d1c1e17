"""What every sandbox promises about files. Each implementation must pass it as it is."""

import asyncio
import random

import pytest

from domain.command import shell
from domain.files import File, TreeChange
from sandbox.base import IGNORED, Fetched
from tests.sandbox.contract import Leased, assert_usable, output, python, tree

LISTING = "find . -mindepth 1 | sort"


def news(fetched: Fetched, known: TreeChange) -> TreeChange:
    """What is fetched, less what is known to be so: an unchanged file may come again when it was just written."""
    written = fetched.change.written
    return fetched.change.without(frozenset(path for path in written if known.written.get(path) == written[path]))


class PutContract:
    """Files on their way in."""

    async def test_put_writes_files_executables_and_links_into_their_folders(self, leased: Leased) -> None:
        written = {
            "plain.txt": File(content=b"plain"),
            "bin/run": File(content=b"#!/bin/sh\necho ran", executable=True),
            "a/b/link": File(link="../../plain.txt"),
            "empty": File(),
            "name with blank, é and 🎭": File(content=b"odd"),
        }

        await leased.sandbox.put(TreeChange(written=written))

        script = (
            "bin/run; readlink a/b/link; cat a/b/link; wc -c < empty; cat name*; test ! -x plain.txt && echo -plain"
        )
        assert await output(leased.sandbox, script) == "ran\n../../plain.txt\nplain0\nodd-plain"

    async def test_put_with_clear_leaves_nothing_of_what_was_there(self, leased: Leased) -> None:
        mess = "mkdir -p a/b .git shut open; touch a/b/c .hidden .git/x shut/x open/x; ln -s / root; mkfifo fifo"
        await output(leased.sandbox, f"{mess}; chmod 000 shut; chmod 555 open a/b")

        await leased.sandbox.put(tree(new="x"), clear=True)

        assert await output(leased.sandbox, LISTING) == "./new"

    async def test_clear_follows_no_link_out_of_the_workspace(self, leased: Leased) -> None:
        out = await output(leased.sandbox, "d=$(mktemp -d); touch $d/kept; ln -s $d link; echo $d")

        await leased.sandbox.put(TreeChange(), clear=True)

        assert await output(leased.sandbox, f"ls; ls {out}; rm -r {out}") == "kept"

    async def test_put_removes_deleted_files_and_the_folders_that_become_empty(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(a__b__gone="x", a__kept="x", c__d__gone="x"))

        await leased.sandbox.put(TreeChange(deleted=frozenset({"a/b/gone", "c/d/gone", "never/was"})))

        assert await output(leased.sandbox, LISTING) == "./a\n./a/kept"

    async def test_put_replaces_a_file_by_a_folder_and_a_folder_by_a_file(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(one="file", two__inside="file"))

        await leased.sandbox.put(tree(one__inside="new", two="new"))

        assert await output(leased.sandbox, f"{LISTING}; cat one/inside two") == "./one\n./one/inside\n./two\nnewnew"

    async def test_put_writes_below_the_workspace_after_a_folder_became_a_link(self, leased: Leased) -> None:
        for path in ("d/file", "d/sub/file", "d/sub/deeper/file"):
            await leased.sandbox.put(TreeChange(written={path: File(content=b"old")}), clear=True)
            await output(leased.sandbox, "mkdir -p other/sub/deeper; rm -r d; ln -s other d")
            after = TreeChange(written={path: File(content=b"new")})

            await leased.sandbox.put(after)

            assert await output(leased.sandbox, f"cat {path}; test -L d || echo; find other -type f") == "new"
            assert not news(await leased.sandbox.fetch(), after)

    async def test_a_deletion_reaches_nothing_behind_a_link(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(d__file="old"))
        await output(leased.sandbox, "mkdir other; touch other/file; rm -r d; ln -s other d")

        await leased.sandbox.put(TreeChange(deleted=frozenset({"d/file"})))

        assert await output(leased.sandbox, "ls other") == "file"

    async def test_put_arrives_where_the_code_took_away_its_own_permissions(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(folder__file="old"))
        await output(leased.sandbox, "chmod 000 folder/file; chmod 555 folder")

        await leased.sandbox.put(tree(folder__file="new", folder__second="new"))

        assert await output(leased.sandbox, "cat folder/file folder/second") == "newnew"

    async def test_more_deletions_than_fit_into_one_frame_are_made(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(**{"n" * 200 + "_1": "x", "kept": "x"}))
        many = frozenset("n" * 200 + f"_{number}" for number in range(6_000))

        async with asyncio.timeout(60):
            await leased.sandbox.put(TreeChange(deleted=many))

        assert await output(leased.sandbox, "ls") == "kept"


class FetchContract:
    """Files on their way out."""

    async def test_fetch_gives_what_changed(self, leased: Leased) -> None:
        before = tree(same="same", old="old", gone__file="x", run="echo")
        await leased.sandbox.put(before)
        await output(leased.sandbox, "echo more >> old; echo new > new; rm -r gone; chmod +x run; touch same")

        fetched = await leased.sandbox.fetch()

        assert news(fetched, before) == TreeChange(
            written={
                "old": File(content=b"oldmore\n"),
                "new": File(content=b"new\n"),
                "run": File(content=b"echo", executable=True),
            },
            deleted=frozenset({"gone/file"}),
        )
        assert fetched.refused == ()

    async def test_what_is_known_is_not_fetched_again(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(put__before="x"))
        await output(leased.sandbox, "echo new > new; mkfifo fifo")
        for _ in range(2):
            await asyncio.sleep(0.1)
            await leased.sandbox.fetch()

        fetched = await leased.sandbox.fetch()

        assert not fetched.change

    async def test_fetch_right_after_a_transfer_brings_nothing_new(self, leased: Leased) -> None:
        before = tree(a="a", b__c="c")
        await leased.sandbox.put(before)
        assert not news(await leased.sandbox.fetch(), before)
        await output(leased.sandbox, "echo new > new")
        first = await leased.sandbox.fetch()

        second = await leased.sandbox.fetch()

        assert first.change.written["new"] == File(content=b"new\n")
        assert not news(second, TreeChange(written=before.written | first.change.written))

    @pytest.mark.parametrize("before", ["put", "fetch"])
    async def test_an_edit_of_the_same_length_right_after_a_transfer_is_seen(self, leased: Leased, before: str) -> None:
        for attempt in range(5):
            path, first, second = f"file{attempt}", b"1", b"2"
            if before == "put":
                await leased.sandbox.put(TreeChange(written={path: File(content=first)}))
            else:
                await leased.sandbox.run(shell(f"printf 1 > {path}"))
                assert path in (await leased.sandbox.fetch()).change.written
            await leased.sandbox.run(shell(f"printf 2 > {path}"))

            fetched = await leased.sandbox.fetch()

            assert fetched.change.written.get(path) == File(content=second)

    async def test_a_change_through_a_shared_mapping_is_seen_by_whoever_looks_closely(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(put="x = 1\n", other="y = 1\n"))
        await output(leased.sandbox, "echo 'z = 1' > fetched; sleep 0.1")
        await leased.sandbox.fetch()
        mapped = "f = open(path, 'r+b'); m = mmap.mmap(f.fileno(), 0); m[4]; m[4:5] = b'2'; m.close()"
        await leased.sandbox.run(python(f"import mmap\nfor path in ('put', 'fetched'):\n    {mapped}"))

        fetched = await leased.sandbox.fetch(closely=True)
        again = await leased.sandbox.fetch(closely=True)

        assert fetched.change == tree(put="x = 2\n", fetched="z = 2\n")
        assert not news(again, fetched.change)

    async def test_large_files_make_the_way_there_and_back_unchanged(self, leased: Leased) -> None:
        data = random.Random(1).randbytes((1 << 20) + 1)
        await leased.sandbox.put(tree(first=data, second=data[::-1]))
        await output(leased.sandbox, "cat first second > both; cp first third")

        fetched = await leased.sandbox.fetch()

        written = fetched.change.written
        assert written["both"] == File(content=data + data[::-1])
        assert written["third"] == File(content=data)

    async def test_names_of_every_language_and_long_paths_leave(self, leased: Leased) -> None:
        names = ["ünï/cødé", "日本語.py", "🎭 stage", "-rf", "a" * 255, "/".join(["d" * 99] * 10)]
        script = (
            "import os, sys\nfor n in sys.argv[1:]: os.makedirs(os.path.dirname('./' + n), exist_ok=True); open(n, 'w')"
        )
        result = await leased.sandbox.run(python(script, argv=("python3", "-c", script, *names)))
        assert result.ok, result

        fetched = await leased.sandbox.fetch()

        assert sorted(fetched.change.written) == sorted(names)

    async def test_what_is_no_plain_file_or_has_no_plain_name_stays_and_is_named(self, leased: Leased) -> None:
        script = r"""
import os, socket
os.mkfifo('fifo'); os.symlink('/etc/passwd', 'link'); os.symlink('.', 'loop'); os.makedirs('d' * 250 + '/' + 'e' * 250)
socket.socket(socket.AF_UNIX).bind('socket')
deep = '/'.join(['f' * 250] * 5); os.makedirs(deep); open(deep + '/file', 'w')
for name in (b'new\nline', b'no\xffutf8', b'back\\slash', b'\x1b[31mred'): open(name, 'w')
os.mkdir('.GIT'); open('.GIT/config', 'w'); open('good', 'w')
"""
        result = await leased.sandbox.run(python(script))
        assert result.ok, result

        fetched = await leased.sandbox.fetch()

        assert sorted(fetched.change.written) == ["good"]
        deep = "/".join(["f" * 250] * 5)[:200]
        named = {"fifo", "link", "loop", "socket", deep, r"new\nline", r"no\udcffutf8", r"back\\slash"}
        assert set(fetched.refused) == named | {r"\x1b[31mred", ".GIT/config"}

    async def test_a_file_replaced_by_a_link_is_refused_and_not_followed(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(file="mine", folder__file="mine"))
        await output(leased.sandbox, "ln -sf /etc/passwd file; rm -r folder; ln -s /etc folder")

        fetched = await leased.sandbox.fetch()

        assert fetched.change == TreeChange(deleted=frozenset({"folder/file"}))
        assert sorted(fetched.refused) == ["file", "folder"]

    async def test_caches_and_version_control_never_leave(self, leased: Leased) -> None:
        folders = " ".join(f"{name} deep/{name}" for name in sorted(IGNORED))
        await output(leased.sandbox, f"for d in {folders}; do mkdir -p $d; echo x > $d/file; done; echo y > deep/kept")

        fetched = await leased.sandbox.fetch()

        assert fetched.change == TreeChange(written={"deep/kept": File(content=b"y\n")})
        assert fetched.refused == ()

    async def test_a_folder_that_nobody_may_enter_loses_no_file(self, leased: Leased) -> None:
        before = tree(folder__file="x")
        await leased.sandbox.put(before)
        await output(leased.sandbox, "chmod 000 folder")

        assert not news(await leased.sandbox.fetch(), before)

    async def test_a_file_that_came_back_is_no_deletion(self, leased: Leased) -> None:
        before = tree(a="1", b="2")
        await leased.sandbox.put(before)
        await output(leased.sandbox, "rm a b")
        first = await leased.sandbox.fetch()
        await leased.sandbox.put(tree(a="1"))

        second = await leased.sandbox.fetch()

        assert first.change == TreeChange(deleted=frozenset({"a", "b"}))
        assert not news(second, before)
        await assert_usable(leased.sandbox)
