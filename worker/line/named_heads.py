"""Which heads a message names that cannot be used as it is: in its objects, or else in its text.

The head must be known that was photographed: otherwise nothing would say that its last photographs show an insert of
before. So it is looked for in whatever a program of one's own wraps it, and in the usual forms of text. No form is
read as its parser would read it: a head that is named by mistake only has to be photographed again.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

_ESCAPED: Final = re.compile(r"""\\{1,15}(?:u([\da-f]{4})|x([\da-f]{2})|([rnt])|(?=["']))""", re.IGNORECASE)
"""What JSON escapes, within however many texts, and a letter that is no UTF-8 (`broker.sanitising`): Latin-1. Of few
strokes, as a search for any number takes long in a text of nothing else."""
_WORD: Final = r"""[^\s"'\\<>{}\[\](),;|&=:#]{1,64}"""
_BARE: Final = rf"((?!(?:null|none|true|false)\b){_WORD}(?: {_WORD}(?!\w*\s*[:=]))*)"
"""A name without quotes: up to what separates it from the next one."""
_TAG: Final = r"<(?:[\w.-]{1,64}:)?(machine|head)(?:\s[^<>]{0,99})?(?<!/)>"
_KEY: Final = r"""(?<![\w./-])["']?(machine|head)["']?\s*[:=]"""
_PLACE: Final = re.compile(rf"""(?:{_TAG}|{_KEY})\s*(?:"([^"]{{1,64}})"|'([^']{{1,64}})'|{_BARE})""", re.IGNORECASE)
"""Where a text says a machine or a head, as JSON, Python, XML, YAML or a list of `name=value` writes it."""
_CELL: Final = re.compile(r"[,;\t|]")
_BODY: Final = re.compile(r'"body"\s*:\s*"([\w+/\\-]+)')
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
    numbers = {name: fields[name] for name in ("machine", "head") if isinstance(fields.get(name), int | float)}
    return fields | {name: str(number).removesuffix(".0") for name, number in numbers.items()}


def _events_in(message: object, depth: int = _DEEPEST) -> Iterator[dict[Any, Any]]:
    """The objects in a message that name a head."""
    if isinstance(message, str):
        try:
            message = json.loads(message)
        except (ValueError, RecursionError):
            return
    if isinstance(message, dict) and any(_says_head(name, value) for name, value in message.items()):
        yield message
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


def _says_head(name: object, value: object) -> bool:
    return str(name).strip().lower() == "head" and isinstance(value, str | int | float) and not isinstance(value, bool)


def _places_in(text: str) -> list[dict[str, str]]:
    """The heads that stand in a text, each with the machine that stands nearest to it: an envelope may name others."""
    text = _unescaped(text[:_LONGEST])
    if rows := [*_rows_in(text)]:
        return rows
    said = [
        ((of[1] or of[2]).lower(), of.start(), of[3] or of[4] or of[5])
        for of in islice(_PLACE.finditer(text), 4 * _MOST)
    ]
    machines = [(start, name) for what, start, name in said if what == "machine"]
    places = []
    for what, start, name in said:
        if what == "head":
            nearest = min(machines, key=lambda machine: abs(machine[0] - start), default=None)
            places.append({"head": name} | ({} if nearest is None else {"machine": nearest[1]}))
    return places


def _rows_in(text: str) -> Iterator[dict[str, str]]:
    """The rows of a table below the line that names its columns, with one of these characters between its cells."""
    columns: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip(" \"'") for cell in _CELL.split(line)]
        if not columns:
            names = [cell.lower() for cell in cells]
            columns = names if len(names) > 1 and "head" in names else []
        elif (row := dict(zip(columns, cells, strict=False))).get("head"):
            yield {name: row[name] for name in ("machine", "head") if row.get(name)}


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
