"""Files with git's ids."""

import pygit2
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.files import File
from mcp_server.repo_map.source import Blobs, blob_id


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_an_id_is_the_one_that_git_gives(content: bytes) -> None:
    assert blob_id(content) == str(pygit2.hash(content))


def test_links_are_left_out_and_files_keep_their_ids_from_one_tree_to_the_next() -> None:
    blobs = Blobs()
    tree = {"a.py": File(content=b"1" * 10), "link": File(link="a.py"), "b.py": File(content=b"2" * 10)}
    first = blobs.sources(tree.items())
    tree["b.py"] = File(content=b"3" * 10)
    second = blobs.sources(tree.items())

    assert [source.path for source in first] == ["a.py", "b.py"]
    assert all(source.blob == blob_id(source.content) for source in (*first, *second))
    assert second[0] == first[0]
    assert second[0].blob is first[0].blob
