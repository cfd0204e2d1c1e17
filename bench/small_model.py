"""Twenty small tasks in a row with a real model behind a server that speaks OpenAI's wire format.

Meant for very small models, which ramble, break JSON and call no tools: every task has to end in a typed status with
the best tree, whatever the model says, without a traceback, a container left behind, or a token beyond the limit.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import docker

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# Its own folder has a module that is called mcp.
sys.path.remove(str(Path(__file__).resolve().parent))

from bench.measure import Figure, show

SOUNDSTAGE = Path(sys.executable).parent / "soundstage"
MAX_TOKENS = 60_000
TASK_S = 600.0
TASKS = (
    ("add(a: int, b: int) -> int", "returns the sum", "add(2, 3) == 5", "add(-1, 1) == 0", "add(0, 0) == 0"),
    ("is_even(n: int) -> bool", "says whether n is even", "is_even(2) == True", "is_even(3) == False"),
    ("largest(numbers: list) -> int", "returns the largest number", "largest([1, 3, 2]) == 3", "largest([5]) == 5"),
    ("reverse(text: str) -> str", "reverses the text", "reverse('abc') == 'cba'", "reverse('') == ''"),
    ("count_vowels(text: str) -> int", "counts the vowels", "count_vowels('hello') == 2", "count_vowels('xyz') == 0"),
    ("factorial(n: int) -> int", "returns n!", "factorial(0) == 1", "factorial(5) == 120"),
    ("fibonacci(n: int) -> int", "returns the n-th number", "fibonacci(0) == 0", "fibonacci(10) == 55"),
    ("palindrome(text: str) -> bool", "tells palindromes", "palindrome('aba') == True", "palindrome('ab') == False"),
    ("gcd(a: int, b: int) -> int", "returns the greatest common divisor", "gcd(12, 18) == 6", "gcd(7, 5) == 1"),
    ("squares(n: int) -> list", "lists the squares below n", "squares(3) == [0, 1, 4]", "squares(0) == []"),
    ("double(n: int) -> int", "doubles n", "double(4) == 8", "double(-2) == -4"),
    ("first(items: list) -> object", "returns the first item", "first([7, 8]) == 7", "first(['a']) == 'a'"),
    ("total(numbers: list) -> int", "adds all up", "total([1, 2, 3]) == 6", "total([]) == 0"),
    ("shout(text: str) -> str", "makes it upper case", "shout('hi') == 'HI'", "shout('') == ''"),
    ("words(text: str) -> int", "counts the words", "words('a b c') == 3", "words('') == 0"),
    ("absolute(n: int) -> int", "returns the absolute value", "absolute(-3) == 3", "absolute(4) == 4"),
    ("last_digit(n: int) -> int", "returns the last digit", "last_digit(123) == 3", "last_digit(40) == 0"),
    ("unique(items: list) -> list", "drops repeated items", "unique([1, 1, 2]) == [1, 2]", "unique([]) == []"),
    ("is_prime(n: int) -> bool", "tells primes", "is_prime(7) == True", "is_prime(8) == False", "is_prime(1) == False"),
    ("clamp(n: int, low: int, high: int) -> int", "keeps n between", "clamp(5, 0, 3) == 3", "clamp(-1, 0, 3) == 0"),
)  # fmt: skip


def prompt_of(task: tuple[str, ...]) -> str:
    """The request of a task, with its examples."""
    signature, what, *examples = task
    return f"Write a Python function `{signature}` that {what}. Examples:\n" + "\n".join(f"- {one}" for one in examples)


def run(prompt: str, model: str, home: Path) -> tuple[dict[str, object], str]:
    """The result of a task as its last event tells it, and what went wrong."""
    command = [str(SOUNDSTAGE), "run", prompt, "--model", model, "--max-tokens", str(MAX_TOKENS), "--json"]
    environment = {**os.environ, "SOUNDSTAGE_HOME": str(home)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TASK_S, check=False)
    except subprocess.TimeoutExpired:
        return {}, "it did not end"
    facts = [json.loads(line)["fact"] for line in done.stdout.splitlines() if line.startswith("{")]
    finished = [fact["result"] for fact in facts if fact["type"] == "task_finished"]
    if not finished:
        return {}, f"exit code {done.returncode}, and no result: {done.stderr[-500:]}"
    problem = "a traceback" if "Traceback" in done.stderr else ""
    used = finished[0]["usage"]["input_tokens"] + finished[0]["usage"]["output_tokens"]
    if used > MAX_TOKENS:
        problem = f"{used} tokens were used"
    if done.returncode not in {0, 1}:
        problem = f"exit code {done.returncode}: {done.stderr[-300:]}"
    return finished[0], problem


def orphans() -> int:
    """Containers with our label that are there now."""
    client = docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto")
    try:
        return len(client.containers(all=True, filters={"label": "soundstage"}))
    finally:
        client.close()


def main() -> None:
    """Runs them all and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--model", required=True, help="PROVIDER/ID; OPENAI_BASE_URL names the server")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    options = parser.parse_args()
    before, started = orphans(), time.perf_counter()
    ends: collections.Counter[str] = collections.Counter()
    problems = 0
    with tempfile.TemporaryDirectory(prefix="soundstage-bench-") as home:
        for task in TASKS:
            result, problem = run(prompt_of(task), options.model, Path(home))
            problems += bool(problem)
            ends[f"{result.get('status', 'none')} ({result.get('grade', '')})"] += 1
            print(
                f"{task[0]}: {result.get('status')} ({result.get('grade')}): {result.get('reason')} {problem}".strip()
            )
    took = time.perf_counter() - started
    told = ", ".join(f"{number} {how}" for how, number in ends.most_common())
    solved = sum(number for how, number in ends.items() if how.startswith("solved"))
    show(
        [
            Figure("tasks", len(TASKS), "", told),
            Figure("solved", solved, "", "by evidence from a clean room"),
            Figure("problems", problems, "", "tracebacks, limits that were broken, tasks that did not end"),
            Figure("orphans", orphans() - before, "", "containers left behind"),
            Figure("seconds", took, "s", f"{took / len(TASKS):.1f} s a task"),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
