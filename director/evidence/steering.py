"""Files that steer which tests run and how: in the clean room they are as they were before the work."""

from director.evidence.test_paths import belongs_to_tests, holds_tests
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

    New modules that stand in for the test tools are left out as well, and so are new ones among the tests that have the
    name of a module of the code: pytest puts a test's folder in front of all others.
    """
    code = {_top(path) for path in files if path.endswith(".py") and not belongs_to_tests(path)}
    kept = {
        path: file
        for path, file in files.items()
        if not _steers(path) and (path in before or not (_shadows(path) or _doubles(path, code)))
    }
    return kept | {path: file for path, file in before.items() if _steers(path)}


def _top(path: str) -> str:
    """The first part of the name under which a file is imported."""
    return path.removeprefix("src/").split("/", 1)[0].removesuffix(".py")


def _doubles(path: str, code: set[str]) -> bool:
    if not path.endswith(".py") or not belongs_to_tests(path) or holds_tests(path):
        return False
    return not code.isdisjoint(path.removesuffix(".py").split("/")[1:])


def _steers(path: str) -> bool:
    name = path.rsplit("/", 1)[-1].lower()
    return name in STEERING or name.endswith(".pth")


def _shadows(path: str) -> bool:
    return path.split("/", 1)[0].removesuffix(".py") in SHADOWING
