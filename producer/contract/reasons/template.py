"""What a reason is made of: an English sentence with named places, which can be told from the finished sentence again.

A place is written as in `str.format`, `{width:d}`; what stands behind the colon says how its value is written, read
and, in another language, said. Sentences are stored and sent as plain English text: nobody needs this to read one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from string import Formatter
from typing import Any, Final, NamedTuple, Self


class PlaceKind(NamedTuple):
    """How a place's value is written into an English sentence, its pattern there, and how it is read out of one."""

    pattern: str
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str


def _number(spec: str, pattern: str, read: Callable[[str], float]) -> PlaceKind:
    return PlaceKind(pattern, lambda value: format(value, spec), read)


def _listed(between: str) -> PlaceKind:
    return PlaceKind(".+?", between.join, lambda text: tuple(text.split(between)))


def _alternatives(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _MINUTE).replace(tzinfo=UTC)


def _pockets(pockets: Collection[int]) -> str:
    return f"pocket{'s' if len(pockets) > 1 else ''} {', '.join(map(str, sorted(pockets)))}"


def numbered(pockets: Sequence[int]) -> str:
    """Ascending pockets in words: "pocket 2", "pockets 2, 4 to 6"."""
    parts: list[str] = []
    for first, last in ranges_of(pockets):
        parts += [f"{first} to {last}"] if last - first > 1 else map(str, range(first, last + 1))
    return f"pocket{'s' if len(pockets) > 1 else ''} {', '.join(parts)}"


def ranges_of(pockets: Sequence[int]) -> list[tuple[int, int]]:
    """The first and the last of each row of ascending pockets without a gap."""
    rows: list[list[int]] = []
    for pocket in pockets:
        if rows and pocket == rows[-1][-1] + 1:
            rows[-1].append(pocket)
        else:
            rows.append([pocket])
    return [(row[0], row[-1]) for row in rows]


def _from_ranges(text: str) -> tuple[int, ...]:
    rows = (part.split(" to ") for part in text.split(" ", 1)[1].split(", "))
    return tuple(pocket for row in rows for pocket in range(int(row[0]), int(row[-1]) + 1))


_MINUTE: Final = "%Y-%m-%d %H:%M UTC"
_WHOLE: Final = r"\d{1,18}"
_RANGE: Final = r"\d{1,3}(?: to \d{1,3})?"

KINDS: Final[Mapping[str, PlaceKind]] = {
    # Anything: a file's name, another program's words.
    "": PlaceKind(".*?"),
    # A station's, machine's, head's or operation's name (`producer.contract.names`).
    "name": PlaceKind(".{1,64}?"),
    # Another reason; a reason or any other words; several of them.
    "reason": PlaceKind(".*?"),
    "words": PlaceKind(".*?"),
    "reasons": _listed("; "),
    # Names or sizes, between the last of which English has "and".
    "and": _listed(" and "),
    # Names of formats, of which one will do.
    "or": PlaceKind(r"\w+(?:, \w+)*(?: or \w+)?", _alternatives, lambda text: tuple(re.split(", | or ", text))),
    "d": _number("d", _WHOLE, int),
    ",": _number(",", r"\d{1,3}(?:,\d{3}){0,6}", lambda text: int(text.replace(",", ""))),
    "g": _number("g", r"-?(?:\d[\d.]*(?:e[+-]\d+)?|inf|nan)", float),
    ".2g": _number(".2g", r"\d[\d.]*(?:e[+-]\d+)?", float),
    ".3f": _number(".3f", r"-?\d{1,18}\.\d{3}", float),
    ".0%": _number(".0%", r"\d{1,9}%", lambda text: int(text[:-1]) / 100),
    "moment": PlaceKind(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", lambda at: f"{at:{_MINUTE}}", _moment),
    # "pocket 3", "pockets 3, 5": their numbers.
    "pockets": PlaceKind(
        rf"pockets? {_WHOLE}(?:, {_WHOLE})*", _pockets, lambda text: tuple(map(int, text.split(" ", 1)[1].split(", ")))
    ),
    # The same, those in a row as "4 to 6".
    "ranges": PlaceKind(rf"pockets? {_RANGE}(?:, {_RANGE})*", lambda pockets: numbered(pockets), _from_ranges),
}
"""What a place can hold, by what stands behind its colon."""


@dataclass(frozen=True)
class Template:
    """A reason before its places are filled; calling it with a value for each place makes a `Reason`."""

    text: str

    def __call__(self, **values: Any) -> Reason:
        """The reason with these values.

        Raises:
            TypeError: a place has no value, or a value no place.
        """
        return Reason(self, values)

    @cached_property
    def places(self) -> Mapping[str, str]:
        """The names of the places, each with its kind (`KINDS`)."""
        return {name: spec or "" for _, name, spec, _ in Formatter().parse(self.text) if name is not None}

    @cached_property
    def beginning(self) -> str:
        """What stands before the first place."""
        return self.text.partition("{")[0]

    def read(self, sentence: str) -> Reason | None:
        """The reason that a sentence is; None where it is none of this template's."""
        match = self._pattern.fullmatch(sentence)
        if match is None:
            return None
        try:
            reason = self(**{name: KINDS[spec].read(match[name]) for name, spec in self.places.items()})
        except ValueError:  # a month 13
            return None
        return reason if reason == sentence else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = []
        for literal, name, spec, _ in Formatter().parse(self.text):
            parts.append(re.escape(literal))
            if name is not None:
                parts.append(f"(?P<{name}>{KINDS[spec or ''].pattern})")
        return re.compile("".join(parts), re.DOTALL)


class Reason(str):
    """An English sentence that a template made, with the template and the values in its places."""

    template: Template
    values: Mapping[str, Any]

    def __new__(cls, template: Template, values: Mapping[str, Any]) -> Self:
        """Fill the template's places.

        Raises:
            TypeError: a place has no value, or a value no place.
        """
        if values.keys() != template.places.keys():
            raise TypeError(f"'{template.text}' has the places {[*template.places]}, not {[*values]}")
        written = {name: KINDS[spec].write(values[name]) for name, spec in template.places.items()}
        reason = super().__new__(cls, filled(template.text, written))
        reason.template, reason.values = template, values
        return reason

    def __reduce__(self) -> tuple[Any, ...]:
        """What a copy is made of."""
        return Reason, (self.template, self.values)


IN_OTHER_WORDS: Final = Template("{text}")
"""What no template says, such as the message of another program's exception: it is shown as it is."""


def filled(text: str, values: Mapping[str, str]) -> str:
    """A template's text, or its translation, with a text in each place."""
    parts = ((literal, "" if name is None else values[name]) for literal, name, _, _ in Formatter().parse(text))
    return "".join(literal + value for literal, value in parts)
