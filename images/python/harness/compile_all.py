"""Compiles every Python file of the workspace, and says ``path:line: error`` of each that cannot be."""

import os
import sys
import warnings

NEVER = {"node_modules", "__pycache__"}


def python_files():
    for folder, folders, files in os.walk("."):
        folders[:] = sorted(name for name in folders if name not in NEVER and not name.startswith("."))
        yield from (os.path.normpath(os.path.join(folder, name)) for name in sorted(files) if name.endswith(".py"))


def main():
    warnings.simplefilter("ignore")
    broken = 0
    for path in python_files():
        try:
            with open(path, "rb") as file:
                compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            broken += 1
            print(f"{path}:{getattr(error, 'lineno', None) or 1}: {type(error).__name__}: {error}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
