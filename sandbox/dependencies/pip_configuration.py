"""What pip's own configuration on this machine says of indexes. Source: pip's user guide, "Configuration"."""

import configparser
import sys
from collections.abc import Iterable
from pathlib import Path

from domain.base import Value
from domain.errors import DependenciesFailed

SECTIONS = ("global", "install")
TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
DISABLED = "/dev/null"


class PipConfiguration(Value):
    """Where pip looks for packages. ``index`` is None where nothing is configured: pip's own default holds.

    ``local`` are folders of this machine, which a container does not see; ``trusted`` are hosts without checked TLS.
    """

    index: str | None = None
    extra: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    no_index: bool = False

    @property
    def urls(self) -> tuple[str, ...]:
        """Every URL that it names."""
        return (*filter(None, [self.index]), *self.extra, *self.links)


def files(home: Path, config_home: Path | None, config_dirs: str | None, named: str | None) -> tuple[Path, ...]:
    """pip's configuration files, the weakest first: global, user, site, and the one that PIP_CONFIG_FILE names."""
    if named == DISABLED:
        return ()
    shared = [Path(folder) / "pip/pip.conf" for folder in (config_dirs or "/etc/xdg").split(":") if folder]
    user = [home / ".pip/pip.conf", (config_home or home / ".config") / "pip/pip.conf"]
    if sys.platform == "darwin":
        shared.append(Path("/Library/Application Support/pip/pip.conf"))
        user.append(home / "Library/Application Support/pip/pip.conf")
    chosen = [Path(named)] if named else []
    return (*shared, Path("/etc/pip.conf"), *user, Path(sys.prefix) / "pip.conf", *chosen)


def read(paths: Iterable[Path], variables: dict[str, str]) -> PipConfiguration:
    """The configuration in ``paths``, overridden by ``variables`` by option name. DependenciesFailed."""
    options: dict[str, str] = {}
    read_files = [_read(path) for path in paths]
    for section in SECTIONS:
        for file in read_files:
            if file.has_section(section):
                options |= {name.replace("_", "-"): value for name, value in file.items(section)}
    options |= variables
    return _configuration(options)


def _read(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    try:
        if path.is_file():
            parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeError, configparser.Error) as error:
        raise DependenciesFailed(
            f"pip's configuration file {path} cannot be read ({type(error).__name__}). Correct it.",
            reason="configuration",
        ) from error
    return parser


def _configuration(options: dict[str, str]) -> PipConfiguration:
    index = options.get("index-url", "").strip() or None
    extra = options.get("extra-index-url", "").split()
    links = options.get("find-links", "").split()
    local = [place for place in (index, *extra, *links) if place and not _is_remote(place)]
    return PipConfiguration(
        index=index if index and _is_remote(index) else None,
        extra=tuple(filter(_is_remote, extra)),
        links=tuple(filter(_is_remote, links)),
        trusted=tuple(options.get("trusted-host", "").split()),
        local=tuple(local),
        no_index=options.get("no-index", "").strip().lower() in TRUE or (index is not None and not _is_remote(index)),
    )


def _is_remote(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))
