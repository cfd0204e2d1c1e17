"""One pom.xml as it is written. Source: Maven's documentation, "POM Reference"."""

import re
import xml.etree.ElementTree as ET
from xml.parsers import expat

from pydantic import Field

from domain.base import Value
from domain.errors import DependenciesFailed

MOST_BYTES = 4 * 1024 * 1024
COORDINATE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}")
PROPERTY = re.compile(r"\$\{([^${}]+)\}")
DEPTH = 10
LONGEST = 1000


class Artifact(Value):
    """What a dependency names. Before interpolation any text may stand here, after ``vetted`` plain names only."""

    group: str
    name: str
    version: str = ""
    classifier: str = ""
    type: str = "jar"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What there is one version of on a class path."""
        return (self.group, self.name, self.type, self.classifier)

    def __str__(self) -> str:
        return ":".join(filter(None, (self.group, self.name, self.version, self.classifier)))

    def vetted(self) -> "Artifact":
        """Itself, when its parts can be parts of a file's path; else DependenciesFailed."""
        for part in (self.group, self.name, self.version, *([self.classifier] if self.classifier else [])):
            if ".." in part or not COORDINATE.fullmatch(part):
                raise DependenciesFailed(
                    f"A pom.xml names {str(self)[:200]!r}, and {part[:80]!r} cannot be resolved. Write a plain group, "
                    "name and version (ranges are not supported).",
                    reason="manifest",
                )
        return self


class Wanted(Value):
    """A dependency as it is declared. ``scope`` is empty where nothing is said."""

    artifact: Artifact
    scope: str = ""
    optional: bool = False
    exclusions: frozenset[tuple[str, str]] = frozenset()


class Pom(Value):
    """What matters here of a pom.xml."""

    group: str
    name: str
    version: str
    parent: Artifact | None = None
    properties: dict[str, str] = Field(default_factory=dict)
    dependencies: tuple[Wanted, ...] = ()
    managed: tuple[Wanted, ...] = ()


def read_pom(content: bytes, place: str) -> Pom:
    """A pom.xml. DependenciesFailed when it is none, or declares a document type."""
    root = _parse(content, place)
    parent = root.find("parent")
    above = _artifact(parent) if parent is not None else None
    return Pom(
        group=_text(root, "groupId") or (above.group if above else ""),
        name=_text(root, "artifactId"),
        version=_text(root, "version") or (above.version if above else ""),
        parent=above,
        properties={child.tag: (child.text or "").strip() for child in root.iterfind("properties/*")},
        dependencies=tuple(map(_wanted, root.iterfind("dependencies/dependency"))),
        managed=tuple(map(_wanted, root.iterfind("dependencyManagement/dependencies/dependency"))),
    )


def _parse(content: bytes, place: str) -> ET.Element:
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type")

    # Without a document type there are no entities, and so no expansion of them.
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, _: builder.start(name.rpartition(":")[2], {})
    parser.EndElementHandler = lambda name: builder.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = builder.data
    try:
        if len(content) > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes")
        parser.Parse(content, True)
        root = builder.close()
    except (ValueError, expat.ExpatError, AssertionError) as error:
        raise DependenciesFailed(f"{place} cannot be read: {error}. Correct it.", reason="manifest") from error
    if root.tag != "project":
        raise DependenciesFailed(f"{place} holds no Maven project. Correct it.", reason="manifest")
    return root


def _text(element: ET.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _artifact(element: ET.Element) -> Artifact:
    return Artifact(
        group=_text(element, "groupId"),
        name=_text(element, "artifactId"),
        version=_text(element, "version"),
        classifier=_text(element, "classifier"),
        type=_text(element, "type") or "jar",
    )


def _wanted(element: ET.Element) -> Wanted:
    excluded = ((_text(one, "groupId"), _text(one, "artifactId")) for one in element.iterfind("exclusions/exclusion"))
    return Wanted(
        artifact=_artifact(element),
        scope=_text(element, "scope"),
        optional=_text(element, "optional") == "true",
        exclusions=frozenset(excluded),
    )


def interpolate(text: str, properties: dict[str, str]) -> str:
    """The text with its properties filled in, cut at a length that no name has; what is not known stays as it is."""
    for _ in range(DEPTH):
        filled = PROPERTY.sub(lambda found: properties.get(found[1].strip(), found[0])[:LONGEST], text)[:LONGEST]
        if filled == text:
            break
        text = filled
    return text
