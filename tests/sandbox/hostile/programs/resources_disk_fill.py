"""Fills the workspace and the scratch space with many large files."""

from attack import contained, escaped, fill

for folder, most in (("/workspace", 64), ("/tmp", 32)):
    total = sum(fill(f"{folder}/fill{number}", 48 << 20) for number in range(4))
    if total > most << 20:
        escaped(f"{folder} takes {total} bytes")
    else:
        contained(f"{folder} takes {total} bytes")
