"""The real git program, with no configuration but what a test gives it."""

import os
import subprocess
from pathlib import Path

from domain.files import File, FileTree

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "T",
    "GIT_AUTHOR_EMAIL": "t@localhost",
    "GIT_COMMITTER_NAME": "T",
    "GIT_COMMITTER_EMAIL": "t@localhost",
}


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """What git prints; the test fails when git does."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRONMENT, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")


def repository(folder: Path, files: FileTree) -> str:
    """Makes a repository with one commit; returns the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    write(folder, files)
    return commit(folder)


def commit(folder: Path) -> str:
    """Commits everything that is there."""
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "m")
    return git(folder, "rev-parse", "HEAD")


def write(folder: Path, files: FileTree) -> None:
    """Puts files and links into a folder."""
    for path, file in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.link is not None:
            place.symlink_to(file.link)
        else:
            place.write_bytes(file.content)
            place.chmod(0o755 if file.executable else 0o644)


def read(folder: Path) -> FileTree:
    """Every file and link below a folder, ``.git`` left out."""
    files: FileTree = {}
    for place in sorted(folder.rglob("*")):
        path = place.relative_to(folder).as_posix()
        if path.split("/")[0] == ".git":
            continue
        if place.is_symlink():
            files[path] = File(link=os.readlink(place))
        elif place.is_file():
            files[path] = File(content=place.read_bytes(), executable=bool(place.stat().st_mode & 0o100))
    return files
