"""Jars in an image layer."""

from pathlib import Path

from sandbox import images
from tests.sandbox.dependencies.conftest import Phase
from tests.sandbox.dependencies.maven_folder import add, dependency, project
from tests.sandbox.dependencies.trees import named


async def test_jars_of_a_local_repository_lie_where_the_image_looks(phase: Phase, tmp_path: Path, token: str) -> None:
    add(tmp_path, "g:a:1", dependency("g:b:2"))
    add(tmp_path, "g:b:2")
    tree = named({"pom.xml": project(f"g:{token}:1", dependency("g:a:1"))})
    base = images.tag("python")

    installed = await phase.install(tree, language="java", folder=tmp_path, image=base)
    seen = await phase.run(installed, "cd /opt/deps/java && ls && python3 -m zipfile -l b-2.jar")

    assert seen.stdout.decode().split()[:2] == ["a-1.jar", "b-2.jar"]
    assert b"who.txt" in seen.stdout
    assert installed.contacts == ()
    assert (await phase.install(tree, language="java", folder=tmp_path, image=base)).cached
