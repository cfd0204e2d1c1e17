"""Leaves folders inside folders, deeper than any path may be."""

import os

from attack import contained

for _ in range(2500):
    os.mkdir("a")
    os.chdir("a")
open("file", "w").close()
with open("/workspace/good.txt", "w"):
    contained("2500 folders deep")
