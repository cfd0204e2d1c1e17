"""URLs as a request is sent to them, in one normal form."""

import re
import urllib.parse

from domain.base import Value
from sandbox.egress.endpoint import PORTS, Endpoint, parse_authority
from sandbox.egress.refusal import BadRequest

MOST_CHARACTERS = 8_000
URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
ALLOWED = "/?:@!$&'()*+,;=-._~%[]"
"""What stays as it is in a path and a query, besides letters and digits."""


class Url(Value):
    """A scheme, an endpoint, and a path with its query."""

    scheme: str
    endpoint: Endpoint
    path: str

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def host(self) -> str:
        """The endpoint as the Host header names it."""
        text = str(self.endpoint)
        return text.removesuffix(f":{PORTS[self.scheme]}") if self.endpoint.port == PORTS[self.scheme] else text

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"

    def join(self, location: str) -> "Url":
        """Where a redirect leads. BadRequest."""
        try:
            return parse_url(urllib.parse.urljoin(str(self), location.strip()))
        except ValueError as error:
            raise BadRequest(f"The redirect leads nowhere: {error}.") from error


def parse_url(text: str) -> Url:
    """The URL, with what must not stand in one encoded. BadRequest, and InvalidEndpoint for its host."""
    if len(text) > MOST_CHARACTERS or "\\" in text or any(ord(character) < 33 for character in text.strip()):
        raise BadRequest("The URL is too long, or holds blanks, control characters or backslashes. Encode them.")
    found = URL.fullmatch(text.strip())
    if found is None:
        raise BadRequest("That is no http or https URL. Write it like https://name/path.")
    scheme = found[1].lower()
    place = parse_authority(found[2], PORTS[scheme])
    path = found[3] if found[3].startswith("/") else f"/{found[3]}"
    return Url(scheme=scheme, endpoint=place, path=urllib.parse.quote(path, safe=ALLOWED, errors="replace"))
