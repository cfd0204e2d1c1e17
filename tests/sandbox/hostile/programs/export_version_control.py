"""Leaves repositories whose hooks, monitors and filters would run on the host: plain, bare, and in every spelling."""

import os
import subprocess

from attack import contained

CONFIG = """[core]
\tfsmonitor = "touch /tmp/owned-by-fsmonitor; false"
\thooksPath = hooks
\tsshCommand = touch /tmp/owned-by-ssh
\tbare = true
[filter "x"]
\tclean = touch /tmp/owned-by-filter
\tsmudge = touch /tmp/owned-by-filter
[diff "x"]
\ttextconv = touch /tmp/owned-by-textconv
"""
for folder in (".git", "sub/.git", ".GIT", "sub/.Git ", ".git::$INDEX_ALLOCATION", ".g\u200cit", "GIT~1", "bare.git"):
    for name in ("hooks", "objects", "refs/heads"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    for path, content in (
        ("HEAD", "ref: refs/heads/main\n"),
        ("config", CONFIG),
        ("objects/x", ""),
        ("refs/heads/main", ""),
    ):
        with open(f"{folder}/{path}", "w") as file:
            file.write(content)
    for hook in ("post-checkout", "pre-commit", "fsmonitor-watchman"):
        with open(f"{folder}/hooks/{hook}", "w") as file:
            file.write("#!/bin/sh\ntouch /tmp/owned-by-hook\n")
        os.chmod(f"{folder}/hooks/{hook}", 0o755)
with open(".gitmodules", "w") as file:
    file.write('[submodule "x"]\n\tpath = sub\n\turl = ext::sh -c touch% /tmp/owned-by-submodule\n')
with open(".gitattributes", "w") as file:
    file.write("* filter=x diff=x\n")
with open("file-of-git", "w") as file:
    file.write("gitdir: /tmp/evil\n")
os.makedirs("linked")
with open("linked/.git", "w") as file:
    file.write("gitdir: ../bare.git\n")
open("good.txt", "w").close()
assert subprocess is not None
contained("the repositories were made")
