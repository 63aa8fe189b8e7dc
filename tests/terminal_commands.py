"""Several commands in one process, each from its entry point: what they import is loaded once.

`python -m tests.terminal_commands COMMANDS`: a JSON list of the module and the arguments of each.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module


def main() -> None:
    """Run one after the other, and print before each what it is, and behind it what it ends with."""
    for module, arguments in json.loads(sys.argv[1]):
        # As if each had been typed here: bytes of UTF-8, and some that are none.
        sys.argv = ["command", *(os.fsdecode(each.encode("utf-8", "surrogateescape")) for each in arguments)]
        for stream in (sys.stdout, sys.stderr):
            stream.write(f"\n==== {module} {json.dumps(arguments)}\n")
            stream.flush()
        try:
            import_module(module).main()
        except SystemExit as ended:
            sys.stdout.write(f"\n==== exit code {ended.code}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
