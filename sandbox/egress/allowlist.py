"""Which hosts may be reached, and why another one may not."""

from collections.abc import Iterable, Iterator

from domain.base import Value
from sandbox.egress.addresses import inside
from sandbox.egress.endpoint import Address, Endpoint

REMEDY = (
    "To allow it, name it in the package client's own configuration (an index or a registry), or in "
    "SOUNDSTAGE_INSTALL_HOSTS as host:port."
)


class Wording(Value):
    """How a refusal is told: what an endpoint that is not allowed lacks, and the remedy for that and for an inside
    address."""

    unlisted: str = "is not among the hosts that the package clients' configuration names"
    remedy: str = REMEDY
    remedy_inside: str = REMEDY


class AllowedHost(Value):
    """An endpoint that may be reached.

    ``named`` says that the person's own configuration names it: only then it may lie at an inside address. A host
    that is a client's built-in default may not.
    """

    endpoint: Endpoint
    named: bool


class Allowlist:
    """Exact matches of host and port; no wildcards, no suffixes."""

    def __init__(self, hosts: Iterable[AllowedHost] = (), wording: Wording | None = None) -> None:
        self._wording = wording or Wording()
        self._named: dict[Endpoint, bool] = {}
        for host in hosts:
            self._named[host.endpoint] = self._named.get(host.endpoint, False) or host.named

    def __iter__(self) -> Iterator[AllowedHost]:
        return (AllowedHost(endpoint=endpoint, named=named) for endpoint, named in self._named.items())

    def __contains__(self, endpoint: Endpoint) -> bool:
        return endpoint in self._named

    def objection(self, endpoint: Endpoint) -> str | None:
        """Why an endpoint is refused, with the remedy; None when it is allowed."""
        if endpoint not in self._named:
            return f"{endpoint} {self._wording.unlisted}. {self._wording.remedy}"
        address = endpoint.address
        return self.objection_to_address(endpoint, address) if address is not None else None

    def objection_to_address(self, endpoint: Endpoint, address: Address) -> str | None:
        """Why an allowed endpoint is refused when it leads to ``address``; None when it may."""
        kind = inside(address)
        if kind is None or self._named.get(endpoint, False):
            return None
        return f"{endpoint} leads to {address}, an address that is {kind}. {self._wording.remedy_inside}"
