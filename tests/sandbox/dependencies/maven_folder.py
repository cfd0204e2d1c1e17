"""A local Maven repository folder, made by hand."""

from pathlib import Path

from tests.sandbox.dependencies.trees import zipped


def dependency(coordinates: str, more: str = "") -> str:
    """A dependency element, from ``group:name[:version]``."""
    group, name, *version = coordinates.split(":")
    fixed = f"<version>{version[0]}</version>" if version else ""
    return f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>{fixed}{more}</dependency>"


def project(coordinates: str, *dependencies: str, more: str = "", managed: tuple[str, ...] = ()) -> bytes:
    """A pom.xml."""
    group, name, version = coordinates.split(":")
    return (
        '<?xml version="1.0"?><project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>{more}"
        f"<dependencyManagement><dependencies>{''.join(managed)}</dependencies></dependencyManagement>"
        f"<dependencies>{''.join(dependencies)}</dependencies></project>"
    ).encode()


def add(
    folder: Path, coordinates: str, *dependencies: str, more: str = "", managed: tuple[str, ...] = (), jar: bool = True
) -> None:
    """Puts an artifact into the folder."""
    group, name, version = coordinates.split(":")
    place = folder.joinpath(*group.split("."), name, version)
    place.mkdir(parents=True)
    pom = project(coordinates, *dependencies, more=more, managed=managed)
    (place / f"{name}-{version}.pom").write_bytes(pom)
    if jar:
        (place / f"{name}-{version}.jar").write_bytes(zipped({"who.txt": coordinates}))
