"""Which jars a pom.xml asks for, found as Maven does: breadth first, the nearest version wins.

Source: Maven's documentation, "Introduction to the Dependency Mechanism". Profiles and version ranges are not
followed.
"""

from collections import deque

from domain.base import Value
from domain.errors import DependenciesFailed
from sandbox.dependencies.maven_repository import JARS, MavenRepository
from sandbox.dependencies.pom import Artifact, Pom, Wanted, interpolate

MOST_ARTIFACTS = 2000
MOST_PARENTS = 20
TRANSITIVE = frozenset({"", "compile", "runtime"})
DIRECT = TRANSITIVE | {"provided", "test"}

Key = tuple[str, str, str, str]
Managed = dict[Key, Wanted]


class Effective(Value):
    """A pom with its parents' part in it, and every property filled in."""

    dependencies: tuple[Wanted, ...]
    managed: tuple[Wanted, ...]


class Resolution:
    """Resolves against one repository."""

    def __init__(self, repository: MavenRepository) -> None:
        self._repository = repository

    def jars(self, pom: Pom) -> list[Artifact]:
        """The artifacts of a project's class path, tests included, the nearest first. DependenciesFailed."""
        root = self._effective(pom)
        managed = _by_key(root.managed)
        direct = (_completed(wanted, managed.get(wanted.artifact.key)) for wanted in root.dependencies)
        waiting = deque((wanted, wanted.exclusions) for wanted in direct if _is_direct(wanted))
        chosen: dict[Key, Artifact] = {}
        while waiting:
            wanted, excluded = waiting.popleft()
            if wanted.artifact.key in chosen:
                continue
            if len(chosen) >= MOST_ARTIFACTS:
                raise DependenciesFailed(f"More than {MOST_ARTIFACTS} jars are asked for.", reason="size_limit")
            chosen[wanted.artifact.key] = wanted.artifact.vetted()
            waiting.extend(
                (further, excluded | further.exclusions)
                for further in self._behind(wanted.artifact, managed)
                if not _is_excluded(further.artifact, excluded)
            )
        return [artifact for artifact in chosen.values() if artifact.type in JARS]

    def _behind(self, artifact: Artifact, managed: Managed) -> list[Wanted]:
        pom = self._repository.pom(artifact)
        if pom is None:
            return []
        effective = self._effective(pom)
        own = _by_key(effective.managed)
        completed = (_completed(one, own.get(one.artifact.key)) for one in effective.dependencies if not one.optional)
        overridden = (_overridden(one, managed.get(one.artifact.key)) for one in completed)
        return [one for one in overridden if one.scope in TRANSITIVE]

    def _effective(self, pom: Pom, depth: int = 0) -> Effective:
        family = [pom]
        while (above := family[-1].parent) is not None:
            parent = self._repository.pom(above.vetted())
            if parent is None or len(family) > MOST_PARENTS:
                raise DependenciesFailed(
                    f"The parent {above} of {pom.name[:100]} is not in the local Maven repository "
                    f"{self._repository.folder}. Put it there, or name the versions without it.",
                    reason="unreachable",
                )
            family.append(parent)
        properties = _properties(family)
        dependencies: Managed = {}
        for member in family:
            for wanted in (_filled(one, properties) for one in member.dependencies):
                dependencies.setdefault(wanted.artifact.key, wanted)
        managed: Managed = {}
        for wanted in (_filled(one, properties) for member in family for one in member.managed):
            imported = self._imported(wanted.artifact, depth) if wanted.scope == "import" else (wanted,)
            for one in imported:
                managed.setdefault(one.artifact.key, one)
        return Effective(dependencies=tuple(dependencies.values()), managed=tuple(managed.values()))

    def _imported(self, artifact: Artifact, depth: int) -> tuple[Wanted, ...]:
        pom = self._repository.pom(artifact.vetted())
        if pom is None or depth > MOST_PARENTS:
            raise DependenciesFailed(
                f"The managed versions of {artifact} are not in the local Maven repository {self._repository.folder}. "
                "Put them there.",
                reason="unreachable",
            )
        return self._effective(pom, depth + 1).managed


def _properties(family: list[Pom]) -> dict[str, str]:
    properties: dict[str, str] = {}
    for member in reversed(family):
        properties |= member.properties
    own = family[0]
    for prefix in ("project.", "pom.", ""):
        properties |= {f"{prefix}version": own.version, f"{prefix}groupId": own.group, f"{prefix}artifactId": own.name}
    if own.parent is not None:
        properties |= {"project.parent.version": own.parent.version, "project.parent.groupId": own.parent.group}
    return properties


def _filled(wanted: Wanted, properties: dict[str, str]) -> Wanted:
    parts = {name: interpolate(value, properties) for name, value in wanted.artifact.model_dump().items()}
    return wanted.model_copy(update={"artifact": Artifact(**parts), "scope": interpolate(wanted.scope, properties)})


def _by_key(wanted: tuple[Wanted, ...]) -> Managed:
    return {one.artifact.key: one for one in wanted}


def _is_direct(wanted: Wanted) -> bool:
    if wanted.scope == "system":
        raise DependenciesFailed(
            f"{wanted.artifact} has the scope system. Put it into a repository instead.", reason="manifest"
        )
    return wanted.scope in DIRECT


def _completed(wanted: Wanted, managed: Wanted | None) -> Wanted:
    """A dependency, with what it leaves open taken from what is managed."""
    if managed is None:
        return wanted
    version = wanted.artifact.version or managed.artifact.version
    return wanted.model_copy(
        update={
            "artifact": wanted.artifact.model_copy(update={"version": version}),
            "scope": wanted.scope or managed.scope,
            "exclusions": wanted.exclusions | managed.exclusions,
        }
    )


def _overridden(wanted: Wanted, managed: Wanted | None) -> Wanted:
    """A dependency of a dependency: what the project manages wins over what it says itself."""
    if managed is None or not managed.artifact.version:
        return wanted
    artifact = wanted.artifact.model_copy(update={"version": managed.artifact.version})
    return _completed(wanted.model_copy(update={"artifact": artifact, "scope": managed.scope or wanted.scope}), managed)


def _is_excluded(artifact: Artifact, excluded: frozenset[tuple[str, str]]) -> bool:
    return any(group in {artifact.group, "*"} and name in {artifact.name, "*"} for group, name in excluded)
