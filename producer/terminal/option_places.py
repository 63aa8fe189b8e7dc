"""Options may stand before or behind a command's name, whichever of the program and its commands has them.

`insert-station --data F check …` and `insert-station check … --data F` are the same; so are `insert-worker --data F
train …` and `insert-worker train … --data F`. An option that was renamed is still accepted by its former name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from typer.core import TyperGroup

RENAMED: Final = {"--wait": "--timeout", "--send": "--timeout", "--out": "--output"}
"""Former names of options, which no help shows."""


class AnyPlace(TyperGroup):
    """A program whose options, and those of its commands, are found wherever they stand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Bring the options to where they belong, then read them."""
        return super().parse_args(ctx, in_place(self, args))


def in_place(program: Any, arguments: Sequence[str]) -> list[str]:
    """Arguments with each option beside the command that has it: the innermost that is named, if several do.

    An option that none of them has stays where it is, and so does all that follows `--`.
    """
    named, parts = [program], [list[str]()]  # the program and the commands in it, and what belongs to each
    early: list[tuple[str, list[str]]] = []  # options of a command whose name is still to come
    rest = iter(arguments)
    for argument in rest:
        command, (name, equals, value) = named[-1], argument.partition("=")
        name = RENAMED.get(name, name)
        argument = f"{name}{equals}{value}"
        if argument == "--":
            parts[-1] += [argument, *rest]
        elif not argument.startswith("--"):
            entered = getattr(command, "commands", {}).get(argument)
            if entered is None:
                parts[-1].append(argument)
                continue
            own = [words for option, words in early if _option(entered, option) is not None]
            early = [(option, words) for option, words in early if _option(entered, option) is None]
            named.append(entered)
            parts.append([argument, *(word for words in own for word in words)])
        elif having := [place for place, of in enumerate(named) if _option(of, name) is not None]:
            parts[having[-1]] += _with_values(_option(named[having[-1]], name), argument, rest)
        elif (option := _below(command, name)) is not None:
            early.append((name, _with_values(option, argument, rest)))
        else:
            parts[-1].append(argument)
    return [word for part in (*parts, *(words for _, words in early)) for word in part]


def _option(command: Any, name: str) -> Any:
    """The option of that name that a command itself has, or None."""
    return next((option for option in command.params if name in (*option.opts, *option.secondary_opts)), None)


def _below(command: Any, name: str) -> Any:
    """The option of that name of a command below this one, or None; what takes values takes as many everywhere."""
    below = getattr(command, "commands", {}).values()
    return next((option for one in below if (option := _option(one, name) or _below(one, name)) is not None), None)


def _with_values(option: Any, argument: str, rest: Iterator[str]) -> list[str]:
    """The words of an option: it, and the values that follow it."""
    count = 0 if "=" in argument or option.is_flag else option.nargs
    return [argument, *islice(rest, count)]
