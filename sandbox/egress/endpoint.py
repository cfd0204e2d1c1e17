"""Hosts and ports in one normal form, so that two spellings of a host are one."""

import ipaddress
import re
import urllib.parse

import idna

from domain.base import Value
from domain.errors import SoundstageError

MAX_HOST = 253
MAX_PORT = 65_535
NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class InvalidEndpoint(SoundstageError):
    """That is no host with a port. Write it as name:port, or [address]:port."""


class Endpoint(Value):
    """A host in normal form, and a port: what an allowlist holds. Compare only those that ``endpoint`` made."""

    host: str
    port: int

    @property
    def address(self) -> Address | None:
        """The address, where the host is one and no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def endpoint(host: str, port: int) -> Endpoint:
    """The endpoint in normal form: lower case, IDNA, no dot at the end. InvalidEndpoint."""
    if not 1 <= port <= MAX_PORT:
        raise InvalidEndpoint(f"{port} is no port. Use 1 to {MAX_PORT}.")
    return Endpoint(host=_host(host), port=port)


def parse_authority(text: str, default_port: int | None = None) -> Endpoint:
    """The endpoint in ``host:port`` or ``[address]:port``. InvalidEndpoint, also for user information."""
    if "@" in text:
        raise InvalidEndpoint("A host with a user name is refused. Leave the user name out.")
    host, port = _split(text)
    if not port and default_port is not None:
        return endpoint(host, default_port)
    if not port.isascii() or not port.isdigit() or len(port) > 5:
        raise InvalidEndpoint(f"{text[:80]!r} has no port that is a number. Write it as name:port.")
    return endpoint(host, int(port))


def web_endpoints(text: str) -> tuple[Endpoint, ...]:
    """What ``name`` or ``name:port`` stands for: without a port it is those of http and https. InvalidEndpoint."""
    one = parse_authority(text, PORTS["https"])
    return (one,) if text.endswith(f":{one.port}") else (one, endpoint(one.host, PORTS["http"]))


def endpoint_of(url: str) -> Endpoint:
    """The endpoint that an http or https URL of a configuration leads to. InvalidEndpoint."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidEndpoint(f"A URL of the package clients' configuration is malformed: {error}.") from error
    if parts.scheme not in PORTS or not host:
        raise InvalidEndpoint("A URL of the package clients' configuration is neither http nor https.")
    return endpoint(host, port or PORTS[parts.scheme])


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise InvalidEndpoint(f"{text[:80]!r} is no address in brackets. Write it as [address]:port.")
        return host, rest[1:]
    host, _, port = text.partition(":")
    if ":" in port:
        raise InvalidEndpoint(f"{text[:80]!r} holds more than one colon. Put an IPv6 address in brackets.")
    return host, port


def _host(host: str) -> str:
    if ":" in host:
        return _ipv6(host)
    if not host.isascii():
        host = _idna(host)
    host = host.lower().removesuffix(".")
    if len(host) > MAX_HOST or not NAME.fullmatch(host):
        raise InvalidEndpoint(f"{host[:80]!r} is no host name.")
    if NUMBER.fullmatch(host.rpartition(".")[2]):
        return _ipv4(host)
    return host


def _ipv4(host: str) -> str:
    # Octal, hexadecimal, short and whole-number forms mean different addresses to different programs.
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise InvalidEndpoint(f"{host[:80]!r} is an address in an unusual form. Write four decimal numbers.") from None


def _ipv6(host: str) -> str:
    try:
        if "%" in host:
            raise ValueError
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise InvalidEndpoint(f"{host[:80]!r} is no IPv6 address.") from None


def _idna(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise InvalidEndpoint(f"{host[:80]!r} is no host name.") from None
