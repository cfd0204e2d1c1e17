"""A local Maven repository folder: poms and jars by their coordinates."""

import re
from pathlib import Path

from domain.errors import DependenciesFailed
from sandbox.dependencies.pom import MOST_BYTES, Artifact, Pom, read_pom

JARS = frozenset({"jar", "bundle", "maven-plugin", "ejb", "test-jar"})
LOCAL = re.compile(rb"<localRepository>\s*([^<>]+?)\s*</localRepository>")


class MavenRepository:
    """Looks things up in a folder, which the person is trusted to have filled; what is looked for is not trusted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pom(self, artifact: Artifact) -> Pom | None:
        """The pom of an artifact, None where there is none. DependenciesFailed when it cannot be read."""
        path = self._place(artifact) / f"{artifact.name}-{artifact.version}.pom"
        try:
            if not path.is_file() or path.stat().st_size > MOST_BYTES:
                return None
            return read_pom(path.read_bytes(), str(path))
        except OSError as error:
            raise DependenciesFailed(f"{path} cannot be read ({error.strerror}).", reason="configuration") from error

    def jar(self, artifact: Artifact) -> Path:
        """The jar of an artifact. DependenciesFailed when it is not there."""
        classifier = artifact.classifier or ("tests" if artifact.type == "test-jar" else "")
        name = "-".join(filter(None, (artifact.name, artifact.version, classifier)))
        path = self._place(artifact) / f"{name}.jar"
        if not path.is_file():
            raise DependenciesFailed(
                f"{artifact} is not in the local Maven repository {self.folder}. Put it there on this machine, for "
                f"example with: mvn dependency:get -Dartifact={artifact.group}:{artifact.name}:{artifact.version}",
                reason="unreachable",
            )
        return path

    def _place(self, artifact: Artifact) -> Path:
        plain = artifact.vetted()
        return self.folder.joinpath(*plain.group.split("."), plain.name, plain.version)


def configured_folder(settings_files: tuple[Path, ...], maven_home: Path | None) -> Path | None:
    """The local repository that Maven's own settings name, or its usual place; None where there is neither."""
    for path in settings_files:
        found = LOCAL.search(path.read_bytes()) if path.is_file() else None
        if found is not None:
            return Path(found[1].decode(errors="replace").replace("${user.home}", str(Path.home())))
    usual = maven_home / "repository" if maven_home else None
    return usual if usual is not None and usual.is_dir() else None
