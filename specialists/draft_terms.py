"""What drafts are asked for."""

from pydantic import Field

from domain.base import Value

FREE = 16


class DraftTerms(Value):
    """The file at ``path`` that is wanted, with its ``signatures``, and the ``tests`` that it must pass. ``request`` is
    all that is said of it.

    ``most`` is how many drafts a model makes that costs nothing. Where the file is there already, and something was
    wrong with it, ``present`` is its content and ``failure`` what went wrong.
    """

    path: str
    request: str
    signatures: tuple[str, ...] = ()
    tests: tuple[str, ...] = Field(min_length=1)
    most: int = Field(default=FREE, gt=0)
    present: str = ""
    failure: str = ""
