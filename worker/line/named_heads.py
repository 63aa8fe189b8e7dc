"""Which heads a message names that cannot be used as it is: in its objects, or else in its text.

The head must be known that was photographed: otherwise nothing would say that its last photographs show an insert of
before. So it is looked for in whatever a program of one's own wraps it, and in the usual forms of text. No form is
read as its parser would read it: a head that is named by mistake only has to be photographed again.
"""

from __future__ import annotations

import csv
import html
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote_plus

_ESCAPED: Final = re.compile(r"""\\{1,15}(?:u([\da-f]{4})|x([\da-f]{2})|([rnt])|(?=["']))""", re.IGNORECASE)
"""What JSON escapes, within however many texts, and a letter that is no UTF-8 (`broker.sanitising`): Latin-1. Of few
strokes, as a search for any number takes long in a text of nothing else."""
_WORD: Final = r"""(?!\#)[^\s"'\\<>{}\[\],;|&=:]{1,64}"""
_BARE: Final = rf"((?!(?:null|none|true|false)\b){_WORD}(?: {_WORD}(?!\w*\s*[:=]))*)"
"""A name without quotes: up to what separates it from the next one."""
_TAG: Final = (
    r"<(?:[\w.-]{1,64}:)?(machine|head)(?:\s[^<>]{0,99})?(?<!/)>\s*(?:<!\[CDATA\[\s*)?([^\s<>\]][^<>\]\n]{0,199})<?"
)
"""An element of XML, and what is in it."""
_LINE: Final = (
    r"""^[ \t-]*(machine|head):[ \t]+(?!(?:null|~)[ \t]*$)([^\s"'{}\[\]<>&*!|>%@`#=:][^"'{}\[\]<>=:\n]{0,99})$"""
)
"""A line of YAML, and what is behind its name, with a remark perhaps."""
_KEY: Final = r"""(?<![\w./-])["']?(machine|head)["']?\s*[:=]"""
_QUOTED_OR_BARE: Final = rf"""(?:"([^"]{{1,99}})"|'([^']{{1,99}})'|{_BARE})"""
_PLACE: Final = re.compile(rf"{_TAG}|{_LINE}|{_KEY}\s*{_QUOTED_OR_BARE}", re.IGNORECASE | re.MULTILINE)
"""Where a text says a machine or a head, as JSON, Python, XML, YAML or a list of `name=value` writes it."""
_SEPARATORS: Final = ",;\t|"
_ENCODED: Final = re.compile("%[0-9a-f]{2}", re.IGNORECASE)
_BODY: Final = re.compile(r'"body"\s*:\s*"([\w+/\\-]+)')
_NAMES_OF_A_THING: Final = ("name", "id", "number", "head", "machine")
"""What an object may call its name that stands for a head or a machine, the first first."""
_DEEPEST: Final = 4
"""How many objects, lists and texts around an event are looked into."""
_LONGEST: Final = 80_000
"""Characters of a text that are looked through."""
_MOST: Final = 200
"""How many objects of a message are read: more than a message may have events. Of a text four times as many names."""


def fields_of(message: object, text: str) -> list[dict[str, Any]]:
    """What a message says by which name, of each object in it that names a head; `text` is the message as JSON.

    Where none does, the names in its text count. Where these name no head either, it is what the message itself says.
    """
    if isinstance(message, str):
        message = text = _body_of(message) or message
    events = [*islice(_events_in(message), _MOST)]
    if not events:
        itself = message if isinstance(message, dict) else {}
        places = (place for inner in _texts_in(message) for place in _places_in(inner))
        events = [itself | place for place in [*islice(places, _MOST)] or _places_in(text)[:_MOST]] or [itself]
    return [_plain(event) for event in events]


def _plain(event: dict[Any, Any]) -> dict[str, Any]:
    said = ((str(name).strip().lower(), value) for name, value in event.items() if not isinstance(value, bool))
    fields = {name: value.strip() if isinstance(value, str) else value for name, value in said}
    return fields | {name: _name_of(fields[name]) for name in ("machine", "head") if name in fields}


def _name_of(value: object) -> str | None:
    """What names a head or a machine: a text or a number, or that of an object, or of a list, that stands for it."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value).removesuffix(".0")
    if isinstance(value, dict):
        of = {str(name).strip().lower(): part for name, part in value.items() if not isinstance(part, dict | list)}
        return next(filter(None, (_name_of(of.get(name)) for name in _NAMES_OF_A_THING)), None)
    if isinstance(value, list):
        return next(filter(None, (_name_of(part) for part in value if not isinstance(part, list))), None)
    return None


def _events_in(message: object, depth: int = _DEEPEST) -> Iterator[dict[Any, Any]]:
    """The objects in a message that name a head."""
    if isinstance(message, str):
        try:
            message = json.loads(message)
        except (ValueError, RecursionError):
            return
    if isinstance(message, dict):
        heads = [of for name, value in message.items() if _says_head(name) for of in _all_of(value) if _name_of(of)]
        rest = {name: value for name, value in message.items() if not _says_head(name)}
        yield from (rest | {"head": head} for head in heads)
    if depth and isinstance(message, dict | list):
        for part in message.values() if isinstance(message, dict) else message:
            yield from _events_in(part, depth - 1)


def _texts_in(message: object, depth: int = _DEEPEST) -> Iterator[str]:
    """The texts in a message that are no JSON themselves."""
    if isinstance(message, str):
        try:
            inner = json.loads(message)
        except (ValueError, RecursionError):
            yield message
            return
        message = inner
    if depth and isinstance(message, dict | list):
        for part in message.values() if isinstance(message, dict) else message:
            yield from _texts_in(part, depth - 1)


def _says_head(name: object) -> bool:
    return str(name).strip().lower() == "head"


def _all_of(value: object) -> list[Any]:
    """What may be named: each part of a list, else the value itself."""
    return value if isinstance(value, list) else [value]


def _places_in(text: str) -> list[dict[str, str]]:
    """The heads that stand in a text, each with the machine that stands nearest to it: an envelope may name others."""
    text = _unescaped(text[:_LONGEST])
    if rows := [*_rows_in(text)]:
        return rows
    said = [
        ((of[1] or of[3] or of[5]).lower(), of.start(), _name(*of.groups()))
        for of in islice(_PLACE.finditer(text), 4 * _MOST)
    ]
    machines = [(start, name) for what, start, name in said if what == "machine"]
    places = []
    for what, start, name in said:
        if what == "head":
            nearest = min(machines, key=lambda machine: abs(machine[0] - start), default=None)
            places.append({"head": name} | ({} if nearest is None else {"machine": nearest[1]}))
    return places


def _name(*groups: str | None) -> str:
    """A name as it was before a form of text wrote it in its own way; of a remark or a bracket behind it nothing."""
    _, of_element, _, of_line, _, *quoted_or_bare = groups
    name = of_element or (of_line or "").partition(" #")[0] or next(filter(None, quoted_or_bare), "")
    name = html.unescape(name).strip()
    name = unquote_plus(name) if _ENCODED.search(name) else name
    return name[: len(name) - (name.count(")") > name.count("("))]


def _rows_in(text: str) -> Iterator[dict[str, str]]:
    """The rows of a table below the line that names its columns, with one of these characters between its cells."""
    columns: list[str] = []
    separator = ""
    for line in text.lstrip("\ufeff").splitlines():
        if not columns:
            for separator in filter(line.__contains__, _SEPARATORS):
                names = [cell.lower() for cell in _cells(line, separator)]
                columns = names if "head" in names else columns
                if columns:
                    break
        elif (row := dict(zip(columns, _cells(line, separator), strict=False))).get("head"):
            yield {name: row[name] for name in ("machine", "head") if row.get(name)}


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip(" '") for cells in csv.reader([line], delimiter=separator) for cell in cells]


def _unescaped(text: str) -> str:
    letters = _ESCAPED.sub(_letter, text)
    return letters.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # two for a letter beyond 16 bits


def _letter(escaped: re.Match[str]) -> str:
    code, space = escaped[1] or escaped[2], escaped[3]
    if code:
        return chr(int(code, 16))
    return {"t": "\t", "": ""}.get((space or "").lower(), "\n")


def _body_of(message: str) -> str | None:
    """The text in the body of a Celery message that cannot be read as such, or was cut; None where it has none."""
    body = _BODY.search(message)
    if body is None:
        return None
    letters = body[1].replace("\\", "").translate(str.maketrans("-_", "+/"))
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    try:
        return b64decode(letters + "=" * (-len(letters) % 4)).decode(errors="ignore")
    except ValueError:  # letters of another alphabet
        return None
