"""Why a connection through the egress proxy did not go on."""

from domain.errors import SoundstageError


class Refusal(SoundstageError):
    """The proxy does not pass the request on. Read its answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BadRequest(Refusal):
    """The request is not one that a proxy takes. Use CONNECT, or GET with a whole http URL."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(status, message)


class HostRefused(Refusal):
    """The host is not allowed. Name it in the package client's own configuration."""

    def __init__(self, message: str) -> None:
        super().__init__(403, message)


class HostUnreachable(Refusal):
    """The host does not answer. Check that it is up, and that this machine reaches it."""

    def __init__(self, message: str, status: int = 502) -> None:
        super().__init__(status, message)


class LimitReached(Refusal):
    """A limit of the proxy is reached. Install less, or raise the limit."""

    def __init__(self, message: str) -> None:
        super().__init__(503, message)
