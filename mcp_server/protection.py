"""Which paths a role may change."""

from fnmatch import fnmatchcase

from domain.base import Value


class Protection(Value):
    """``protected`` paths may not change. Patterns are shell-style; one without a slash fits a name in any folder.

    With ``writable`` patterns, nothing else may change either. ``kept`` are paths that are protected by name.
    """

    protected: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()

    def allows(self, path: str) -> bool:
        """Whether the role may create, change or remove the path."""
        if path in self.kept or any(fits(path, pattern) for pattern in self.protected):
            return False
        return not self.writable or any(fits(path, pattern) for pattern in self.writable)


def fits(path: str, pattern: str) -> bool:
    """Whether a path fits a pattern. ``*`` also stands for slashes."""
    if "/" in pattern:
        return fnmatchcase(path, pattern)
    return any(fnmatchcase(part, pattern) for part in path.split("/"))
