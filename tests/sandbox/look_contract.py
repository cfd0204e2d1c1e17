"""What every sandbox promises about looking at files: stat, changes, and collect."""

import pytest

from domain.command import shell
from domain.errors import HostileOutput, TransferFailed
from domain.files import File, TreeChange
from sandbox.base import IGNORED
from sandbox.vetting import VettingLimits
from tests.sandbox.contract import Leased, output, python, tree


class StatContract:
    """What is at a path."""

    async def test_stat_says_what_is_at_each_path_in_the_order_asked_for(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(folder__file="12345"))
        await output(leased.sandbox, "chmod 640 folder/file; ln -s folder link; ln -s none dangling; mkfifo fifo")

        paths = ["fifo", "none", "folder/file", "dangling", "folder", "link", "folder/file/more", "folder/file"]
        found = await leased.sandbox.stat(paths)

        kinds = [entry and entry.kind for entry in found]
        assert kinds == ["other", None, "file", "link", "folder", "link", None, "file"]
        assert found[2] is not None
        assert (found[2].size, found[2].mode) == (5, 0o640)
        assert found[2].mtime_ns > 0
        assert await leased.sandbox.stat([]) == []

    async def test_stat_of_a_path_that_cannot_be_is_nothing_and_no_error(self, leased: Leased) -> None:
        assert await leased.sandbox.stat(["x" * 5000, "a" + "/b" * 3000]) == [None, None]


class ChangesContract:
    """Which files changed."""

    async def test_changes_names_what_fetch_then_brings(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(kept="x", edited="old", gone="x"))
        await output(
            leased.sandbox,
            "sleep 0.1; echo more >> edited; echo n > new; rm gone; ln -s kept link; mkfifo fifo; mkdir -p .git;"
            " echo x > .git/config; touch 'new\nline'",
        )

        seen = await leased.sandbox.changes()
        fetched = await leased.sandbox.fetch()

        assert seen.written - {"kept"} == {"edited", "new"}
        assert seen.deleted == {"gone"}
        assert fetched.change.written.keys() - {"kept"} == {"edited", "new"}
        assert fetched.change.deleted == {"gone"}

    async def test_changes_takes_nothing_over_and_a_fetch_does(self, leased: Leased) -> None:
        await output(leased.sandbox, "echo x > new; sleep 0.1")

        assert (await leased.sandbox.changes()).written == {"new"}
        assert (await leased.sandbox.changes()).written == {"new"}
        assert (await leased.sandbox.fetch()).change == TreeChange(written={"new": File(content=b"x\n")})
        after = await leased.sandbox.changes()

        assert (after.written, after.deleted) == (frozenset(), frozenset())

    async def test_more_names_than_an_answer_holds_are_an_error_of_the_transfer_and_the_sandbox_goes_on(
        self, leased: Leased
    ) -> None:
        script = (
            "import os\nfor _ in range(7): os.mkdir('d' * 250); os.chdir('d' * 250)\n"
            "for n in range(4000): open(f'{n:0200}', 'w').close()"
        )
        assert (await leased.sandbox.run(python(script))).ok

        with pytest.raises(TransferFailed, match="bytes of file names"):
            await leased.sandbox.changes()

        await output(leased.sandbox, "rm -r d*; echo x > file")
        assert (await leased.sandbox.changes()).written == {"file"}


class CollectContract:
    """Files by name."""

    async def collected(self, leased: Leased, *paths: str) -> list[str]:
        """The names of what is collected; nothing may be refused."""
        found = await leased.sandbox.collect(paths)
        assert found.refused == ()
        assert not found.change.deleted
        return sorted(found.change.written)

    async def test_files_folders_and_patterns_give_all_that_they_mean_once(self, leased: Leased) -> None:
        files = "a.txt b.txt c.md sub/d.txt sub/deep/e.txt .hidden sub/.hidden"
        await output(leased.sandbox, f"mkdir -p sub/deep empty; for f in {files}; do echo $f > $f; done")

        assert await self.collected(leased, "a.txt") == ["a.txt"]
        assert await self.collected(leased, "sub") == ["sub/.hidden", "sub/d.txt", "sub/deep/e.txt"]
        assert await self.collected(leased, "*.txt") == ["a.txt", "b.txt"]
        assert await self.collected(leased, "**/*.txt") == ["a.txt", "b.txt", "sub/d.txt", "sub/deep/e.txt"]
        assert await self.collected(leased, ".") == sorted(files.split())
        assert await self.collected(leased, "./a.txt", "sub/../b.txt") == ["a.txt", "b.txt"]
        assert await self.collected(leased, "a.txt", "*", "./*", "none", "empty", "sub/") == sorted(files.split())
        whole = await leased.sandbox.collect(["sub/deep/e.txt"])
        assert whole.change.written == {"sub/deep/e.txt": File(content=b"sub/deep/e.txt\n")}

    async def test_what_never_leaves_by_itself_is_collected_when_it_is_named(self, leased: Leased) -> None:
        names = sorted(IGNORED - {".git"})
        await output(leased.sandbox, f"for d in {' '.join(names)}; do mkdir $d; echo x > $d/file; done")

        assert await self.collected(leased, *names) == [f"{name}/file" for name in names]
        assert await self.collected(leased, "*/file") == [f"{name}/file" for name in names]

    async def test_a_name_with_brackets_or_a_question_mark_is_that_name(self, leased: Leased) -> None:
        names = ["a[1].txt", "a1.txt", "what?", "whats"]
        await leased.sandbox.put(TreeChange(written={name: File(content=b"x") for name in names}))

        assert await self.collected(leased, "a[1].txt", "what?") == ["a[1].txt", "what?"]

    async def test_links_that_stay_inside_are_kept_as_links_and_those_that_lead_out_are_refused(
        self, leased: Leased
    ) -> None:
        links = (
            "ln -s ../file d/in; ln -s /etc/passwd d/out; ln -s ../../x d/up; ln -s d/sub folder; ln -s none dangling"
        )
        await output(leased.sandbox, f"mkdir -p d/sub; echo x > file; echo y > d/sub/file; {links}")

        found = await leased.sandbox.collect(["d", "folder", "dangling"])

        assert found.change.written == {
            "d/in": File(link="../file"),
            "d/sub/file": File(content=b"y\n"),
            "folder": File(link="d/sub"),
            "dangling": File(link="none"),
        }
        assert sorted(found.refused) == ["d/out", "d/up"]

    @pytest.mark.parametrize("path", ["link/passwd", "link/*", "/etc/passwd", "../../etc/passwd", "**/passwd"])
    async def test_nothing_is_collected_from_outside_of_the_workspace(self, leased: Leased, path: str) -> None:
        await output(leased.sandbox, "ln -s /etc link")

        found = await leased.sandbox.collect([path])

        assert found.change == TreeChange()

    async def test_what_is_no_file_or_must_not_leave_is_named(self, leased: Leased) -> None:
        await output(
            leased.sandbox, "mkdir d d/.git; mkfifo d/fifo; echo x > d/.git/config; echo x > d/good; touch 'd/a\nb'"
        )

        found = await leased.sandbox.collect(["d"])

        assert sorted(found.change.written) == ["d/good"]
        assert sorted(found.refused) == ["d/.git/config", r"d/a\nb", "d/fifo"]

    async def test_limits_of_the_call_hold_and_the_sandbox_goes_on(self, leased: Leased) -> None:
        await output(
            leased.sandbox, "for n in 1 2 3; do head -c 1000 /dev/zero > f$n; done; head -c 3000 /dev/zero > g"
        )

        large = await leased.sandbox.collect(["f1", "g"], VettingLimits(file_bytes=2000))
        with pytest.raises(HostileOutput, match="files"):
            await leased.sandbox.collect(["."], VettingLimits(entries=2))
        with pytest.raises(HostileOutput, match="bytes"):
            await leased.sandbox.collect(["."], VettingLimits(total_bytes=2500))

        assert (sorted(large.change.written), large.refused) == (["f1"], ("g",))
        assert (await leased.sandbox.run(shell("true"))).ok

    async def test_collecting_changes_nothing_for_the_next_fetch(self, leased: Leased) -> None:
        await output(leased.sandbox, "echo x > new; sleep 0.1")
        await leased.sandbox.collect(["new"])

        assert sorted((await leased.sandbox.fetch()).change.written) == ["new"]
        assert await self.collected(leased, "new") == ["new"]
