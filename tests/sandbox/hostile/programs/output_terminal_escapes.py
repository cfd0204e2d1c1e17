"""Prints what makes terminals rename themselves, clear, answer, copy, link and type."""

import sys

ESCAPES = (
    "\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x1b]52;c;b3duZWQ=\x07", "\x1b]8;;file:///etc/passwd\x1b\\x\x1b]8;;\x1b\\",
    "\x1bP$q\x1b\\", "\x1b[6n", "\x1b[?1049h", "\x9b31m", "\x1b_Gf=100;AAAA\x1b\\", "\x1bc", "\r\x1b[Kfine", "\x08\x08",
    "\x07", "\x1b]1337;File=:AAAA\x07", "\x1b[201~id\n", "\x0e", "\u202egnp.exe", "\u2066x\u2069",
)  # fmt: skip
for escape in ESCAPES:
    sys.stdout.write(f"before{escape}after\n")
sys.stdout.write("\x1b]0;never ended")
sys.stdout.flush()
raise SystemExit(3)
