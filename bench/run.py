"""How long the main job takes: the demo's run, the help, and loading the product."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measure import Figure, command, median_seconds, show, wants_json

BIN = Path(sys.executable).parent
DEMO = "Create a fibonacci function with tests"


def main() -> None:
    """Measures and prints."""
    as_json = wants_json("How long the main job takes.")
    with tempfile.TemporaryDirectory(prefix="soundstage-bench-") as home:
        os.environ["SOUNDSTAGE_HOME"] = home
        bare = median_seconds(command(sys.executable, "-c", "pass"))
        loaded = median_seconds(command(sys.executable, "-c", "import app.bootstrap"))
        helped = median_seconds(command(str(BIN / "soundstage"), "--help"))
        demo = median_seconds(command(str(BIN / "soundstage"), "run", "--model", "scripted", DEMO), 5)
    figures = [
        Figure("demo_seconds", demo, "s", f"{demo / bare:.0f}x a bare interpreter's start"),
        Figure("help_seconds", helped, "s", f"{helped / bare:.1f}x a bare interpreter's start"),
        Figure("import_ms", (loaded - bare) * 1000, "ms", f"above the {bare * 1000:.0f} ms of a bare interpreter"),
    ]
    show(figures, as_json)


if __name__ == "__main__":
    main()
