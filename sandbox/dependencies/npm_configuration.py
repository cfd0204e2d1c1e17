"""What npm's own configuration on this machine says of registries. Source: npm's documentation, "npmrc"."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from domain.base import Value
from domain.errors import DependenciesFailed

SCOPED = re.compile(r"@[A-Za-z0-9._~-]+:registry")
VARIABLE = re.compile(r"\$\{[^}]*\}")
CREDENTIALS = re.compile(r"(^|:)_(auth|authToken|password)$|(^|:)(username|certfile|keyfile|cert|key)$")


class NpmConfiguration(Value):
    """Where npm looks for packages. ``registry`` is None where nothing is configured: npm's own default holds.

    ``scoped`` maps ``@scope:registry`` to a URL; ``has_credentials`` says that logins are configured, which stay out.
    """

    registry: str | None = None
    scoped: dict[str, str] = Field(default_factory=dict)
    has_credentials: bool = False

    @property
    def urls(self) -> tuple[str, ...]:
        """Every URL that it names."""
        return (*filter(None, [self.registry]), *self.scoped.values())


def files(home: Path, user: str | None, shared: str | None, prefix: str | None) -> tuple[Path, ...]:
    """npm's configuration files, the weakest first: global, then user. A project's own is not among them."""
    if shared:
        places = [Path(shared)]
    else:
        node = shutil.which("node")
        own = [Path(node).resolve().parent.parent / "etc/npmrc"] if node else []
        places = [Path("/etc/npmrc"), *own, *([Path(prefix) / "etc/npmrc"] if prefix else [])]
    return (*places, Path(user) if user else home / ".npmrc")


def read(paths: Iterable[Path], variables: dict[str, str]) -> NpmConfiguration:
    """The configuration in ``paths``, overridden by ``variables`` by option name. DependenciesFailed."""
    options: dict[str, str] = {}
    for path in paths:
        options |= _read(path)
    options |= variables
    scoped = {name: _expanded(name, value) for name, value in options.items() if SCOPED.fullmatch(name)}
    registry = options.get("registry", "").strip()
    return NpmConfiguration(
        registry=_expanded("registry", registry) if registry else None,
        scoped=scoped,
        has_credentials=any(CREDENTIALS.search(name) for name in options),
    )


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeError) as error:
        raise DependenciesFailed(
            f"npm's configuration file {path} cannot be read ({type(error).__name__}). Correct it.",
            reason="configuration",
        ) from error
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith((";", "#")):
            found[name.strip().strip("\"'")] = value.strip().strip("\"'")
    return found


def _expanded(name: str, value: str) -> str:
    if VARIABLE.search(value):
        raise DependenciesFailed(
            f"npm's {name} refers to an environment variable ({value[:80]}), which is not followed here. Write the "
            "registry's URL into .npmrc, or set NPM_CONFIG_REGISTRY.",
            reason="configuration",
        )
    return value
