"""Makes empty files until there are no more."""

from attack import contained, escaped, named

for folder in ("/workspace", "/tmp"):
    made = 0
    try:
        for made in range(60_000):
            open(f"{folder}/{made}", "w").close()
    except OSError as error:
        contained(f"{folder} takes {made} files: {named(error.errno)}")
    else:
        escaped(f"{folder} takes {made} files")
