"""Reading a secret from a person or a pipe: never from the command line, which others see and the shell remembers."""

import getpass
import sys

from pydantic import SecretStr

MOST_BYTES = 1 << 16


def read_secret(question: str) -> SecretStr:
    """What is typed without echo at a terminal, or else the first line of standard input; empty when there is none."""
    if sys.stdin is None:
        return SecretStr("")
    if not sys.stdin.isatty():
        return SecretStr(sys.stdin.buffer.readline(MOST_BYTES).decode("utf-8", "replace").strip())
    try:
        return SecretStr(getpass.getpass(question).strip())
    except EOFError:
        return SecretStr("")
