"""One example: a call with literal arguments, and what must come of it."""

from domain.base import Value


class Example(Value):
    """A call of ``function`` and its outcome. ``owner`` is what stood before the name and a dot.

    Arguments and ``expected`` are Python literals, as text that ``ast.literal_eval`` reads. ``raises`` is the name of
    an exception, and then ``expected`` is empty.
    """

    function: str
    owner: str = ""
    arguments: tuple[str, ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    expected: str = ""
    raises: str = ""

    @property
    def call(self) -> str:
        """The call as Python."""
        given = [*self.arguments, *(f"{name}={value}" for name, value in self.keywords)]
        return f"{self.function}({', '.join(given)})"
