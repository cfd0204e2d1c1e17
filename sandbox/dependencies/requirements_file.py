"""What a workspace's requirements files ask for. Source: pip's documentation, "Requirements File Format"."""

import posixpath
import re
import shlex
from collections.abc import Iterator

from domain.base import Value
from domain.errors import DependenciesFailed
from domain.files import File, FileTree
from sandbox.dependencies.access import NamedUrl

START = "requirements.txt"
MOST_FILES = 100
COMMENT = re.compile(r"(^|\s+)#.*$")
CONTINUED = re.compile(r"\\\r?\n")
VERSION_CONTROL = re.compile(r"(^|@\s*|\s)(git|hg|svn|bzr)(\+|@|://)", re.IGNORECASE)
DIRECT = re.compile(r"^[A-Za-z0-9][\w.-]*\s*(\[[^\]]*\])?\s*@\s*(?P<url>\S+)")
ARCHIVE = re.compile(r"^\S+\.(whl|zip|tar|tar\.\w+|tgz)(\s|\[|;|$)", re.IGNORECASE)
INCLUDES = frozenset({"-r", "--requirement", "-c", "--constraint"})
INDEXES = frozenset({"-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links"})
WHEELS = "Build a wheel of it on this machine (pip wheel -w DIR ...) and run again with --wheels DIR."


class Requirements(Value):
    """The files to hand to pip, and the URLs that they name."""

    files: dict[str, File]
    urls: tuple[NamedUrl, ...]


def read_requirements(tree: FileTree, start: str = START) -> Requirements:
    """The requirements file ``start`` and all that it includes. DependenciesFailed for what pip could not install
    in a container that has only these files: editable, local and version-controlled sources."""
    found: dict[str, File] = {}
    urls: list[NamedUrl] = []
    waiting = [(start, "the workspace")]
    while waiting:
        path, asker = waiting.pop()
        if path in found:
            continue
        if path not in tree or tree[path].link is not None or len(found) >= MOST_FILES:
            raise _failed(f"{asker} includes {path[:200]}", "is not a file of the workspace. Add it or remove the line")
        found[path] = tree[path]
        for number, line in _lines(path, tree[path].content):
            place = f"{path}:{number}"
            if url := _url(place, line):
                urls.append(NamedUrl(url=url, place=place))
            elif include := _include(place, path, line):
                waiting.append((include, place))
    return Requirements(files=found, urls=tuple(urls))


def _failed(what: str, why: str) -> DependenciesFailed:
    return DependenciesFailed(f"{what}, which {why}.", reason="manifest")


def _lines(path: str, content: bytes) -> Iterator[tuple[int, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DependenciesFailed(f"{path} is not UTF-8. Write it in UTF-8.", reason="manifest") from None
    number = 1
    for line in CONTINUED.sub("\0", text).splitlines():
        if plain := COMMENT.sub("", line.replace("\0", " ")).strip():
            yield number, plain
        number += 1 + line.count("\0")


def _option(line: str) -> tuple[str, str] | None:
    """Name and value of an option line."""
    if not line.startswith("-"):
        return None
    if not line.startswith("--") and len(line) > 2 and line[2] not in " =\t":
        return line[:2], line[2:].strip()
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    name, equals, value = words[0].partition("=")
    return name, value if equals else " ".join(words[1:2])


def _include(place: str, path: str, line: str) -> str | None:
    option = _option(line)
    if option is None or option[0] not in INCLUDES:
        return None
    if "://" in option[1]:
        raise _failed(f"{place} includes a file by URL", "is not followed. Copy that file into the workspace")
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), option[1]))


def _url(place: str, line: str) -> str | None:
    """The URL that a line names, if any; DependenciesFailed for sources that cannot be used."""
    option = _option(line)
    if option is not None:
        return _url_of_option(place, *option)
    if VERSION_CONTROL.search(line):
        raise _failed(f"{place} asks for a package from version control", f"is not fetched. {WHEELS[:-1]}")
    direct = DIRECT.match(line)
    target = direct["url"] if direct else line.split()[0]
    if "://" in target and target.lower().startswith(("http://", "https://")):
        return target
    local = direct is not None or "://" in target or target.lower().startswith("file:")
    if local or target.startswith((".", "/", "~")) or "/" in target or "\\" in target or ARCHIVE.match(line):
        raise _failed(f"{place} asks for a package in a local folder or file", f"is not there. {WHEELS[:-1]}")
    return None


def _url_of_option(place: str, name: str, value: str) -> str | None:
    if name in {"-e", "--editable"}:
        raise _failed(f"{place} asks for an editable package", f"has no place in an image. {WHEELS[:-1]}")
    if name == "--trusted-host":
        raise _failed(f"{place} switches TLS off for a host", "is for pip's own configuration to say. Remove the line")
    if name not in INDEXES:
        return None
    if not value.lower().startswith(("http://", "https://")):
        raise _failed(f"{place} names a local index", "the container does not see. Hand its wheels over with --wheels")
    return value
