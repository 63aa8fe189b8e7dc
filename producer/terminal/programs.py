"""How the person at this terminal types one of the three commands."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

from producer.terminal.redaction import discreet

# A command in backticks: its program, and the rest of it.
_COMMAND: Final = re.compile(r"`(insert-(?:station|db|worker))((?: [^`]*)?)`")

# Which options say where the line is, for each program.
_PLACE: Final = {
    "insert-station": ("--data", "--station"),
    "insert-db": ("--data", "--database"),
    "insert-worker": ("--data",),
}
# What reads or writes no line, and so has no such option.
_NO_LINE: Final = ("experiment", "plan")


def as_typed(program: str) -> str:
    """Return `program`, such as `insert-db`, or its path if the shell would not find this installation's by name."""
    ours = Path(sys.executable).with_name(program)
    path = shutil.which(program)
    if not ours.exists() or (path is not None and Path(path).resolve() == ours.resolve()):
        return program
    here = os.path.relpath(ours)
    return str(ours) if here.startswith("..") else here


def copyable(text: str) -> str:
    """Return a message whose commands in backticks can be copied: they are about the line that this command is about.

    What the environment says about it holds for them as well; what options of this command say is repeated, a password
    in a URL aside. A command that is for another machine stands in no backticks.
    """
    return _COMMAND.sub(lambda match: f"`{_about_this_line(match[1], match[2])}`", text)


def _about_this_line(program: str, rest: str) -> str:
    if "--data" in rest or rest.split()[:1] in ([name] for name in _NO_LINE):
        place = ""
    else:
        place = "".join(f" {name} {shlex.quote(value)}" for name, value in _options_typed(program))
    # The worker's commands have the option each, the other two before the command.
    return as_typed(program) + (rest + place if program == "insert-worker" else place + rest)


def _options_typed(program: str) -> list[tuple[str, str]]:
    """The options of this command, as typed, that the same or another program takes as well; of each the last."""
    repeated: dict[str, str] = {}
    arguments = sys.argv[1:]
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, equals, value = argument.partition("=")
        if name in _PLACE[program]:
            repeated[name] = discreet(value if equals else following)
    if program == "insert-db" and _from_worker() and "INSERTS_DATABASE_URL" in os.environ:
        # There --data alone means the folder's own database; to a worker it does not.
        repeated.pop("--data", None)
    return list(repeated.items())


def _from_worker() -> bool:
    return Path(sys.argv[0]).stem == "insert-worker"
