"""What the dependencies phase must know of this machine."""

from pathlib import Path

from pydantic import Field

from domain.base import Value
from sandbox.egress.outside import UpstreamProxies


class PackageSettings(Value):
    """The package clients' own configuration, as places to read it from and as variables that were set.

    Files come in the order in which a later one overrides an earlier one. ``pip`` and ``npm`` hold variables of the
    environment by option name. ``hosts`` are endpoints that may be reached besides, as ``host:port``. ``ca_bundle``
    is a PEM file of authorities that downloads are to trust.
    """

    pip_files: tuple[Path, ...] = ()
    pip: dict[str, str] = Field(default_factory=dict, repr=False)
    npm_files: tuple[Path, ...] = ()
    npm: dict[str, str] = Field(default_factory=dict, repr=False)
    maven_repository: Path | None = None
    maven_settings: tuple[Path, ...] = ()
    maven_home: Path | None = None
    hosts: tuple[str, ...] = ()
    upstream: UpstreamProxies = UpstreamProxies()
    ca_bundle: Path | None = None
