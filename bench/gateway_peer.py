"""LiteLLM's Router beside the gateway, installed in a virtual environment of its own."""

import asyncio
import subprocess
import sys
from pathlib import Path

from bench.measure import Figure

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / "build" / "bench-litellm"
PACKAGE = "litellm"
PROGRAM = Path(__file__).with_name("litellm_router.py")


async def litellm_router(url: str, ours: float) -> list[Figure]:
    """How many times as many calls a second the gateway makes; the last of its own figures is ``ours``."""
    theirs, version = await asyncio.to_thread(_measured, url)
    told = f"at least 2; LiteLLM {version} makes {theirs:.0f} calls/s"
    return [Figure("rps_vs_litellm_router_x", ours / theirs, "x", told)]


def _measured(url: str) -> tuple[float, str]:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        print(f"installing {PACKAGE} into {ENVIRONMENT} (leave it out with --no-peers) ...", file=sys.stderr)
        subprocess.run((sys.executable, "-m", "venv", ENVIRONMENT), check=True)
        subprocess.run((python, "-m", "pip", "install", "--quiet", PACKAGE), check=True)
    done = subprocess.run((python, PROGRAM, url), check=True, capture_output=True, text=True)
    calls, version = done.stdout.split()[-2:]
    return float(calls), version
