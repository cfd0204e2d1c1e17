"""What a package client needs of the outside, taken from its own configuration."""

import urllib.parse
from collections.abc import Iterable

from pydantic import Field

from domain.base import Value
from domain.errors import DependenciesFailed
from domain.text import public_url
from sandbox.egress.allowlist import REMEDY, AllowedHost, Allowlist
from sandbox.egress.endpoint import InvalidEndpoint, endpoint_of, parse_authority


class NamedUrl(Value):
    """A URL that a manifest names; ``place`` says where, as path and line."""

    url: str
    place: str


class Access(Value):
    """The hosts that may be reached, and what the client is told inside: variables and files.

    ``notes`` say what of the configuration could not be followed.
    """

    hosts: tuple[AllowedHost, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    files: dict[str, bytes] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def allowlist(self) -> Allowlist:
        """The hosts, ready to be asked."""
        return Allowlist(self.hosts)


def hosts_of(urls: Iterable[str], named: bool) -> list[AllowedHost]:
    """The hosts of a configuration's URLs. DependenciesFailed for a URL with credentials, or one that is none."""
    found = []
    for url in urls:
        refuse_credentials(url, "The package client's configuration")
        try:
            found.append(AllowedHost(endpoint=endpoint_of(url), named=named))
        except InvalidEndpoint as error:
            raise DependenciesFailed(
                f"{error} It is {public_url(url)[:200]!r}. Correct the package client's configuration.",
                reason="configuration",
            ) from error
    return found


def extra_hosts(hosts: Iterable[str]) -> list[AllowedHost]:
    """The hosts that were named besides, as ``host`` or ``host:port``. DependenciesFailed."""
    try:
        return [AllowedHost(endpoint=parse_authority(host, default_port=443), named=True) for host in hosts]
    except InvalidEndpoint as error:
        raise DependenciesFailed(f"SOUNDSTAGE_INSTALL_HOSTS cannot be used: {error}", reason="configuration") from error


def refuse_credentials(url: str, where: str) -> None:
    """DependenciesFailed when a URL holds a user name or a password: they must not enter a container."""
    try:
        parts = urllib.parse.urlsplit(url)
        secret = parts.username is not None or parts.password is not None
        shown = public_url(url)[:200]
    except ValueError:
        return
    if secret:
        raise DependenciesFailed(
            f"{where} names {shown} with a user name or password, and no secret may enter a container. Get the "
            "packages on this machine instead (pip download -d DIR -r requirements.txt) and run again with "
            "--wheels DIR; for npm use a registry or a mirror that needs no login.",
            reason="credentials",
        )


def check_named(urls: Iterable[NamedUrl], allowlist: Allowlist) -> None:
    """DependenciesFailed when a manifest names a URL that the person's configuration does not allow."""
    for named in urls:
        refuse_credentials(named.url, named.place)
        try:
            objection = allowlist.objection(endpoint_of(named.url))
        except InvalidEndpoint as error:
            raise DependenciesFailed(f"{named.place}: {error} Correct that line.", reason="manifest") from error
        if objection:
            raise DependenciesFailed(
                f"{named.place} names a host of its own: {objection.removesuffix(REMEDY).strip()} "
                f"A file of the workspace cannot widen what may be reached. {REMEDY}",
                reason="refused_host",
            )
