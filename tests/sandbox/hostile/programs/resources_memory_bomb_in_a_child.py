"""Lets a child run out of memory, and calls it a success."""

import subprocess
import sys

subprocess.run([sys.executable, "-c", "held = []\nwhile True: held.append(bytearray(8 << 20))"], check=False)
sys.exit(0)
