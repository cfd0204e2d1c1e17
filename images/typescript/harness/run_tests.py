"""Starts the test harness of Node under the relay.

Arguments: ``--control=FILE`` (a test file that is run besides), then paths and test ids; all tests when there are
none. An id is ``path::test`` or ``path::suite > test``. Node takes patterns of names on its command line only, which
is why they are made here. Paths beside ids widen the selection to the whole of their files.
"""

import os
import re
import sys

sys.path.insert(0, "/opt/soundstage/shared")
import relay

QUIET = ("ExperimentalWarning", "MODULE_TYPELESS_PACKAGE_JSON")
END = "soundstage end"
HARNESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_tests.mjs")


def patterns(selection):
    """Node's patterns for the names in a selection; none when a whole file is wanted."""
    names = [argument.partition("::")[2] for argument in selection]
    if not names or not all(names):
        return []
    return [f"--test-name-pattern=^{re.escape(name.replace(' > ', ' '))}$" for name in [*names, END]]


def main(arguments):
    control = [argument for argument in arguments if argument.startswith("--control=")]
    selection = [argument for argument in arguments if argument not in control]
    flags = [f"--disable-warning={name}" for name in QUIET]
    relay.main(["node", *flags, *patterns(selection), HARNESS, *control, *selection])


if __name__ == "__main__":
    main(sys.argv[1:])
