"""Jars for a pom.xml out of a folder, chosen as Maven chooses."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DependenciesFailed
from domain.files import File
from sandbox.dependencies.maven_repository import MavenRepository, configured_folder
from sandbox.dependencies.maven_resolution import Resolution
from sandbox.dependencies.maven_source import MavenSource
from sandbox.dependencies.pom import interpolate, read_pom
from sandbox.dependencies.settings import PackageSettings
from sandbox.dependencies.source import Order
from tests.sandbox.dependencies.maven_folder import add, dependency, project

ROOT = "g:root:1"


def jars(folder: Path, *dependencies: str, more: str = "", managed: tuple[str, ...] = ()) -> list[str]:
    """What a project with these dependencies gets."""
    pom = read_pom(project(ROOT, *dependencies, more=more, managed=managed), "pom.xml")
    return [str(artifact) for artifact in Resolution(MavenRepository(folder)).jars(pom)]


def test_what_a_dependency_needs_comes_with_it_unless_it_is_for_tests_or_optional(tmp_path: Path) -> None:
    add(tmp_path, "g:a:1", dependency("g:b:1"), dependency("g:t:1", "<scope>test</scope>"),
        dependency("g:o:1", "<optional>true</optional>"), dependency("g:p:1", "<scope>provided</scope>"))  # fmt: skip
    add(tmp_path, "g:b:1", dependency("g:c:1", "<scope>runtime</scope>"))

    assert jars(tmp_path, dependency("g:a:1")) == ["g:a:1", "g:b:1", "g:c:1"]


def test_the_projects_own_tests_and_provided_packages_come_along(tmp_path: Path) -> None:
    wanted = [dependency(f"g:{scope}:1", f"<scope>{scope}</scope>") for scope in ("test", "provided", "runtime")]

    assert jars(tmp_path, *wanted) == ["g:test:1", "g:provided:1", "g:runtime:1"]


def test_the_nearest_version_wins_and_the_first_of_two_as_near(tmp_path: Path) -> None:
    add(tmp_path, "g:a:1", dependency("g:x:1"))
    add(tmp_path, "g:b:1", dependency("g:x:2"))
    add(tmp_path, "g:x:1", dependency("g:y:9"))
    add(tmp_path, "g:x:2")

    assert jars(tmp_path, dependency("g:b:1"), dependency("g:a:1")) == ["g:b:1", "g:a:1", "g:x:2"]
    assert jars(tmp_path, dependency("g:a:1"), dependency("g:y:1")) == ["g:a:1", "g:y:1", "g:x:1"]


def test_what_the_project_manages_wins_over_what_a_dependency_asks_for(tmp_path: Path) -> None:
    add(tmp_path, "g:a:1", dependency("g:x:1"))

    assert jars(tmp_path, dependency("g:a:1"), managed=(dependency("g:x:5"),)) == ["g:a:1", "g:x:5"]
    assert jars(tmp_path, dependency("g:a"), managed=(dependency("g:a:1"),)) == ["g:a:1", "g:x:1"]
    assert jars(tmp_path, dependency("g:a:2"), managed=(dependency("g:a:1"),)) == ["g:a:2"]


def test_versions_come_from_parents_properties_and_imported_lists(tmp_path: Path) -> None:
    add(tmp_path, "g:list:7", managed=(dependency("g:b:3"),), jar=False)
    imported = dependency("g:list:${list.version}", "<type>pom</type><scope>import</scope>")
    properties = "<properties><list.version>7</list.version><a.version>${deep}</a.version><deep>4</deep></properties>"
    own = dependency("g:p:${project.version}")
    add(tmp_path, "g:parent:1", own, jar=False, managed=(imported,), more=properties)
    parent = "<parent><groupId>g</groupId><artifactId>parent</artifactId><version>1</version></parent>"

    found = jars(tmp_path, dependency("g:a:${a.version}"), dependency("g:b"), more=parent)

    assert found == ["g:a:4", "g:b:3", "g:p:1"]


@pytest.mark.parametrize("who", ["g:b", "g:*", "*:*"])
def test_an_exclusion_holds_for_everything_behind_it(tmp_path: Path, who: str) -> None:
    group, name = who.split(":")
    add(tmp_path, "g:a:1", dependency("h:m:1"))
    add(tmp_path, "h:m:1", dependency("g:b:1"))
    one = f"<exclusion><groupId>{group}</groupId><artifactId>{name}</artifactId></exclusion>"

    found = jars(tmp_path, dependency("g:a:1", f"<exclusions>{one}</exclusions>"))

    assert "g:b:1" not in found
    assert found[0] == "g:a:1"


def test_packages_that_need_each_other_come_once(tmp_path: Path) -> None:
    add(tmp_path, "g:a:1", dependency("g:b:1"))
    add(tmp_path, "g:b:1", dependency("g:a:2"))

    assert jars(tmp_path, dependency("g:a:1")) == ["g:a:1", "g:b:1"]


@pytest.mark.parametrize(
    "coordinates",
    [
        "..:a:1",
        "g:..:1",
        "g:a:..",
        "g:a:../../x",
        "g/h:a:1",
        "g:a:[1,2)",
        "g:a",
        "g:a:${unknown}",
        "g:a b:1",
        "a..b:c:1",
    ],
)
def test_coordinates_that_are_no_plain_names_are_refused(tmp_path: Path, coordinates: str) -> None:
    with pytest.raises(DependenciesFailed) as caught:
        jars(tmp_path, dependency(coordinates))

    assert caught.value.reason == "manifest"


def test_a_system_dependency_is_refused(tmp_path: Path) -> None:
    more = "<scope>system</scope><systemPath>/etc/passwd</systemPath>"
    with pytest.raises(DependenciesFailed, match="system"):
        jars(tmp_path, dependency("g:a:1", more))


@pytest.mark.parametrize("part", ["parent", "import"])
def test_a_parent_or_list_that_is_missing_is_named(tmp_path: Path, part: str) -> None:
    above = "<parent><groupId>g</groupId><artifactId>up</artifactId><version>1</version></parent>"
    managed = dependency("g:up:1", "<type>pom</type><scope>import</scope>")
    with pytest.raises(DependenciesFailed, match="g:up:1") as caught:
        jars(tmp_path, more=above if part == "parent" else "", managed=(managed,) if part == "import" else ())

    assert caught.value.reason == "unreachable"


def test_parents_that_are_each_others_parents_end(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        above = f"<parent><groupId>g</groupId><artifactId>{other}</artifactId><version>1</version></parent>"
        add(tmp_path, f"g:{one}:1", more=above)
    above = "<parent><groupId>g</groupId><artifactId>a</artifactId><version>1</version></parent>"

    with pytest.raises(DependenciesFailed):
        jars(tmp_path, more=above)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"nonsense", b"<project>", b"<settings/>", b"\xff\xfe", b"<project/>" * 2,
        b'<!DOCTYPE x [<!ENTITY a "b">]><project/>', b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><project/>',
    ],
)  # fmt: skip
def test_what_is_no_pom_or_declares_a_document_type_is_refused(content: bytes) -> None:
    with pytest.raises(DependenciesFailed, match=r"pom\.xml") as caught:
        read_pom(content, "pom.xml")

    assert caught.value.reason == "manifest"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["${a}", "${b}${b}", "x", "${c}y"])))
def test_properties_that_hold_each_other_come_to_an_end(properties: dict[str, str]) -> None:
    assert len(interpolate("${a}${b}${c}", properties)) <= 1000


def order(folder: Path | None, *dependencies: str, **more: int) -> Order:
    """A workspace with a pom.xml."""
    tree = {"pom.xml": File(content=project(ROOT, *dependencies))}
    return Order(task_id="a-task", tree=tree, language="java", folder=folder, **more)


async def test_the_jars_go_into_the_archive_by_name_and_those_of_one_name_by_group(tmp_path: Path) -> None:
    add(tmp_path, "g.one:a:1")
    add(tmp_path, "g.two:a:1")
    target = io.BytesIO()

    await MavenSource(PackageSettings()).collect(
        order(tmp_path, dependency("g.one:a:1"), dependency("g.two:a:1")), "image", target
    )

    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as packed:
        assert packed.getnames() == ["a-1.jar", "g.two.a-1.jar"]


def test_a_jar_that_is_missing_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DependenciesFailed, match="mvn dependency:get") as caught:
        MavenSource(PackageSettings()).fingerprint(order(tmp_path, dependency("g:a:1")))

    assert caught.value.reason == "unreachable"


def test_the_fingerprint_changes_with_a_jar(tmp_path: Path) -> None:
    add(tmp_path, "g:a:1")
    source = MavenSource(PackageSettings(maven_repository=tmp_path))
    before = source.fingerprint(order(None, dependency("g:a:1")))
    (tmp_path / "g/a/1/a-1.jar").write_bytes(b"other")

    assert source.fingerprint(order(None, dependency("g:a:1"))) != before


def test_jars_beyond_the_size_limit_are_refused(tmp_path: Path) -> None:
    add(tmp_path, "g:a:1")
    with pytest.raises(DependenciesFailed) as caught:
        MavenSource(PackageSettings()).fingerprint(order(tmp_path, dependency("g:a:1"), size_limit=10))

    assert caught.value.reason == "size_limit"


def test_the_folder_comes_from_mavens_settings_or_is_asked_for(tmp_path: Path) -> None:
    settings = tmp_path / "settings.xml"
    settings.write_text(f"<settings><localRepository> {tmp_path}/mine </localRepository></settings>")
    (tmp_path / "repository").mkdir()

    assert configured_folder((settings,), tmp_path) == tmp_path / "mine"
    assert configured_folder((), tmp_path) == tmp_path / "repository"
    with pytest.raises(DependenciesFailed, match="SOUNDSTAGE_MAVEN_REPOSITORY"):
        MavenSource(PackageSettings()).fingerprint(order(None))
