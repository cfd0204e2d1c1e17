"""Files that steer which tests run and how: in the clean room they are as they were before the work."""

from domain.files import FileTree

STEERING = frozenset(
    {
        "conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini",
        "setup.cfg", ".coveragerc", "noxfile.py", "makefile", "gnumakefile", "package.json", "sitecustomize.py",
        "usercustomize.py",
    }
)  # fmt: skip
SHADOWING = frozenset({"pytest", "_pytest", "coverage", "pluggy", "iniconfig", "unittest", "sitecustomize"})


def restored(files: FileTree, before: FileTree) -> FileTree:
    """The tree with every steering file as it was ``before``: changed ones put back, new ones left out.

    New modules at the top that stand in for the test tools are left out as well.
    """
    kept = {path: file for path, file in files.items() if not _steers(path) and (path in before or not _shadows(path))}
    return kept | {path: file for path, file in before.items() if _steers(path)}


def _steers(path: str) -> bool:
    name = path.rsplit("/", 1)[-1].lower()
    return name in STEERING or name.endswith(".pth")


def _shadows(path: str) -> bool:
    return path.split("/", 1)[0].removesuffix(".py") in SHADOWING
