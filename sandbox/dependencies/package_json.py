"""What a workspace's package.json and its lock file ask for. Source: npm's documentation, "package.json"."""

import json
import re
from collections.abc import Iterator
from typing import Any

from domain.base import Value
from domain.errors import DependenciesFailed
from domain.files import File, FileTree
from sandbox.dependencies.access import NamedUrl

MANIFEST = "package.json"
LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
OTHER_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")
TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
LOCAL = re.compile(r"^(file|link|workspace|portal|patch):|^[.~/]|^[A-Za-z]:[\\/]", re.IGNORECASE)
GIT = re.compile(r"^(git|git\+\w+|ssh|github|gitlab|bitbucket|gist):|^[\w.-]+/[\w.-]+(#|$)|^git@", re.IGNORECASE)
REMOTE = re.compile(r"^https?://", re.IGNORECASE)


class NodePackage(Value):
    """The files to hand to npm, the URLs that they name, and whether a lock file fixes every version."""

    files: dict[str, File]
    urls: tuple[NamedUrl, ...]
    locked: bool
    notes: tuple[str, ...] = ()


def read_package(tree: FileTree) -> NodePackage:
    """The workspace's package.json and lock file. DependenciesFailed for what npm could not install in a container
    that has only these files: local folders, workspaces and version control.

    The package's own scripts are taken out: they belong to a tree that is not there.
    """
    manifest = _json(tree, MANIFEST)
    if manifest.get("workspaces"):
        raise _failed(f"{MANIFEST} has workspaces", "are folders that the container does not see. Install without them")
    urls = [url for table in TABLES for url in _urls(table, manifest.get(table))]
    manifest.pop("scripts", None)
    files = {MANIFEST: File(content=json.dumps(manifest, ensure_ascii=False, indent=2).encode())}
    notes: list[str] = []
    lock = next((name for name in LOCKS if name in tree), None)
    if lock is not None:
        _check_lock(lock, _json(tree, lock))
        files[lock] = tree[lock]
    else:
        notes += [f"{name} is not read: npm chooses the versions" for name in OTHER_LOCKS if name in tree]
    return NodePackage(files=files, urls=tuple(urls), locked=lock is not None, notes=tuple(notes))


def _failed(what: str, why: str) -> DependenciesFailed:
    return DependenciesFailed(f"{what}, which {why}.", reason="manifest")


def _json(tree: FileTree, name: str) -> dict[str, Any]:
    try:
        found = json.loads(tree[name].content)
    except (KeyError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DependenciesFailed(
            f"{name} holds no JSON object. Correct it, or run without --install.", reason="manifest"
        )
    return found


def _urls(table: str, wanted: object) -> Iterator[NamedUrl]:
    if not isinstance(wanted, dict):
        return
    for name, version in wanted.items():
        place = f"{MANIFEST}: {table}: {str(name)[:100]}"
        if not isinstance(version, str):
            continue
        if REMOTE.match(version):
            yield NamedUrl(url=version, place=place)
        else:
            _check_source(place, version)


def _check_source(place: str, source: str) -> None:
    if LOCAL.match(source):
        raise _failed(f"{place} is a local folder or file", "the container does not see. Publish it, or remove it")
    if GIT.match(source):
        raise _failed(f"{place} comes from version control", "is not fetched. Name a published version instead")


def _check_lock(name: str, lock: dict[str, Any]) -> None:
    packages = lock.get("packages")
    for path, entry in packages.items() if isinstance(packages, dict) else ():
        if not path or not isinstance(entry, dict):
            continue
        place = f"{name}: {str(path)[:200]}"
        if entry.get("link"):
            _check_source(place, "link:")
        resolved = entry.get("resolved")
        if isinstance(resolved, str) and not REMOTE.match(resolved):
            _check_source(place, resolved)
