"""What the benchmarks share: timing, a table, and one JSON object on the last line."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

REPETITIONS = 7


class Figure(NamedTuple):
    """One measured value: its JSON key, its value, its unit, and what it is compared with."""

    key: str
    value: float
    unit: str
    compared: str = ""


def median_seconds(run: Callable[[], object], repetitions: int = REPETITIONS) -> float:
    """The median wall-clock seconds of ``run``, after one run that does not count."""
    run()
    seconds = []
    for _ in range(repetitions):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def command(*argv: str) -> Callable[[], object]:
    """Runs a program to its end; an exit code other than 0 ends the benchmark, with what the program said."""

    def run() -> object:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    return run


def wants_json(description: str) -> bool:
    """Reads the command line of a benchmark: ``--json`` is its one option."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return bool(parser.parse_args().json)


def show(figures: Sequence[Figure], as_json: bool) -> None:
    """Prints the table, and the JSON line where it is wanted."""
    width = max(len(figure.key) for figure in figures)
    for figure in figures:
        print(f"{figure.key:<{width}}  {figure.value:>9.3f} {figure.unit:<3} {figure.compared}")
    if as_json:
        print(json.dumps({figure.key: round(figure.value, 4) for figure in figures}))
