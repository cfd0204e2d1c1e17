"""What a case of the corpus is, and what is expected of it at each level of isolation."""

from enum import StrEnum
from pathlib import Path

from domain.base import Value
from domain.command import Verdict

PROGRAMS = Path(__file__).parent / "programs"


class Category(StrEnum):
    """What a case attacks."""

    RESOURCES = "resources"
    LIFECYCLE = "lifecycle"
    KERNEL = "kernel"
    NETWORK = "network"
    CHANNEL = "channel"
    EXPORT = "export"
    OUTPUT = "output"
    HONESTY = "honesty"
    SUPPLY_CHAIN = "supply_chain"


class Expect(Value):
    """What is seen of a contained attack.

    ``verdicts`` are the possible ends, one of them wherever it does not depend on timing; ``infrastructure`` stands
    for a sandbox that was lost, which is an error and never a result. With ``reports`` the program lives to report
    that its attempts came to nothing. ``survives`` says that the same sandbox takes the next command. ``inside``
    begins those reports of success that concern gVisor's own kernel alone: it grants to its guest what the host's
    kernel never sees. ``note`` is for the table.
    """

    verdicts: tuple[Verdict, ...]
    reports: bool = False
    survives: bool = True
    inside: tuple[str, ...] = ()
    note: str = ""

    def inside_gvisor(self, *beginnings: str, note: str = "in gVisor's own kernel") -> "Expect":
        """The same, but that some attempts succeed against gVisor's own kernel."""
        return self.model_copy(update={"inside": beginnings, "note": note})

    def noted(self, note: str) -> "Expect":
        """The same, with a note."""
        return self.model_copy(update={"note": note})


class Case(Value):
    """One attack. The program is ``programs/<category>_<name>``; ``tries`` completes "the program ..."."""

    category: Category
    name: str
    tries: str
    runc: Expect
    runsc: Expect
    timeout_s: float = 30.0
    output_limit: int = 1 << 20

    @property
    def id(self) -> str:
        """Unique among all cases."""
        return f"{self.category}_{self.name}"

    def at(self, isolation: str) -> Expect:
        """What is expected at a level of isolation."""
        return self.runsc if isolation.startswith("runsc") else self.runc

    def program(self) -> Path | None:
        """The file of the program; None where the attack comes from outside or is a tree of files."""
        return next(PROGRAMS.glob(f"{self.id}.*"), None)


REPORTED = Expect(verdicts=(Verdict.OK,), reports=True)
OK = Expect(verdicts=(Verdict.OK,))
REFUSED = Expect(verdicts=(Verdict.FAILED,))
TIMEOUT = Expect(verdicts=(Verdict.TIMEOUT,))
OUTPUT_LIMIT = Expect(verdicts=(Verdict.OUTPUT_LIMIT,))
OOM = Expect(verdicts=(Verdict.OOM,))
KILLED = Expect(verdicts=(Verdict.KILLED,))
LOST = Expect(verdicts=(Verdict.INFRASTRUCTURE,), survives=False)
OOM_AND_GONE = Expect(verdicts=(Verdict.OOM,), survives=False, note="the sandbox ends with it")
"""gVisor's kernel is one process of the host: out of memory, the whole sandbox ends."""

BOMBED = Expect(
    verdicts=(Verdict.INFRASTRUCTURE, Verdict.OOM, Verdict.TIMEOUT), survives=False, note="the sandbox may end with it"
)
"""As above: the host's limits of processes and memory hold gVisor as a whole, whichever is reached first."""
