"""What came of the dependencies phase."""

from domain.base import Value
from sandbox.egress.contact import Contact, Outcome


class Installed(Value):
    """The image to lease sandboxes from, and how it came about.

    ``cached`` says that the image was there and nothing was done. ``size`` is bytes of content in ``files`` files;
    ``refused`` are paths that had to stay behind; ``contacts`` the hosts that were asked for, with the answer;
    ``output`` the end of what the package client said.
    """

    tag: str
    cached: bool
    seconds: float
    files: int
    size: int
    contacts: tuple[Contact, ...] = ()
    refused: tuple[str, ...] = ()
    output: str = ""
    notes: tuple[str, ...] = ()

    def hosts(self, outcome: Outcome) -> tuple[str, ...]:
        """The hosts whose connections ended so, as ``host:port``."""
        found = (f"{contact.host}:{contact.port}" for contact in self.contacts if contact.outcome is outcome)
        return tuple(dict.fromkeys(found))
