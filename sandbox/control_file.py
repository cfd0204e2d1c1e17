"""The control file: two tests of ours that run among the others, to see that a run is honest."""

from pathlib import PurePosixPath

from domain.base import Value


class ControlTemplate(Value):
    """How a language writes a control file. ``{token}`` stands for a random word of lower-case hex; ``source`` takes
    in place of it ``{stem}``, the file's name up to the first dot, ``{folder}``, and the names ``{passing}`` and
    ``{failing}``. A test's id is ``path::name``."""

    path: str
    passing: str
    failing: str
    source: str

    def write(self, path: str, passing: str, failing: str) -> bytes:
        """The content of the file at ``path``."""
        place = PurePosixPath(path)
        names = {"stem": place.name.split(".", 1)[0], "folder": place.parent.name}
        return self.source.format(**names, passing=passing, failing=failing).encode()
