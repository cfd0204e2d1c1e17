"""aider's RepoMap on the same tree, installed in a virtual environment of its own."""

import asyncio
import subprocess
import sys
from pathlib import Path

from bench.measure import Figure

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / "build" / "bench-aider"
PACKAGE = "aider-chat"
PROGRAM = Path(__file__).with_name("aider_repo_map.py")
COLD_ROUNDS, WARM_ROUNDS = 2, 5


async def aider(folder: Path, budget_tokens: int, cold_s: float, warm_s: float) -> list[Figure]:
    """How many times as quick our maps are, cold and warm, as those of aider over a folder whose files it edits."""
    cold, warm, version = await asyncio.to_thread(_measured, folder, budget_tokens)
    return [
        Figure("cold_vs_aider_x", cold / cold_s, "x", f"at least 2; aider {version} takes {cold:.2f} s"),
        Figure("warm_vs_aider_x", warm / warm_s, "x", f"at least 5; aider {version} takes {1000 * warm:.0f} ms"),
    ]


def _measured(folder: Path, budget_tokens: int) -> tuple[float, float, str]:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        print(f"installing {PACKAGE} into {ENVIRONMENT} (leave it out with --no-peers) ...", file=sys.stderr)
        subprocess.run((sys.executable, "-m", "venv", ENVIRONMENT), check=True)
        subprocess.run((python, "-m", "pip", "install", "--quiet", PACKAGE), check=True)
    rounds = (str(budget_tokens), str(COLD_ROUNDS), str(WARM_ROUNDS))
    done = subprocess.run((python, PROGRAM, folder, *rounds), check=True, capture_output=True, text=True)
    cold, warm, version = done.stdout.split()[-3:]
    return float(cold), float(warm), version
