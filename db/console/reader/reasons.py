"""Why something is unusable, unsure, to be reviewed or a fault, in the reader's language and with the reader's numbers.

Reasons are kept in English, as a worker wrote them. What the vocabulary does not know, such as the message of another
program's exception or a sentence of another version, is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from db.console.reader import formats
from db.console.reader.languages import translations
from db.console.reader.texts import Text
from producer.contract.reasons.recognition import recognised
from producer.contract.reasons.template import Reason, filled, ranges_of


def translated(locale: Locale, sentence: str) -> str | None:
    """A reason in the reader's language; None where the vocabulary has no such sentence."""
    reason = recognised(sentence)
    return None if reason is None else _translated(locale, reason)


def _translated(locale: Locale, reason: str) -> str:
    """A reason, or other words as they are."""
    if not isinstance(reason, Reason):
        return reason
    text = str(translations(locale.language).ugettext(reason.template.text))
    places = reason.template.places.items()
    return filled(text, {name: _WRITTEN[kind](locale, reason.values[name]) for name, kind in places})


def _as_it_is(_: Locale, value: object) -> str:
    return str(value)


def _any_number(locale: Locale, value: float) -> str:
    return str(format_decimal(value, locale=locale, decimal_quantization=False))


def _pockets(locale: Locale, pockets: Sequence[int]) -> str:
    if len(pockets) == 1:
        return Text("pocket %(number)s", number=pockets[0]).translated(locale)
    return Text("pockets %(numbers)s", numbers=", ".join(map(str, pockets))).translated(locale)


def _ranges(locale: Locale, pockets: Sequence[int]) -> str:
    if len(pockets) == 1:
        return _pockets(locale, pockets)
    rows = [str(first) if first == last else f"{first}–{last}" for first, last in ranges_of(pockets)]
    return Text("pockets %(numbers)s", numbers=", ".join(rows)).translated(locale)


_WRITTEN: Final[Mapping[str, Callable[[Locale, Any], str]]] = {
    "": _as_it_is,
    "name": _as_it_is,
    "reason": _translated,
    "words": _translated,
    "reasons": lambda locale, parts: "; ".join(_translated(locale, part) for part in parts),
    "and": lambda locale, names: format_list(names, locale=locale),
    "or": lambda locale, names: format_list(names, "or", locale),
    "d": _as_it_is,
    ",": formats.number,
    "g": _any_number,
    ".2g": _any_number,
    ".3f": lambda locale, value: formats.number(locale, value, 3),
    ".0%": lambda locale, share: format_percent(share, locale=locale),
    "moment": lambda locale, at: formats.moment(locale, at, "short"),
    "pockets": _pockets,
    "ranges": _ranges,
}
"""How the value of a place is written for a reader, by its kind (`producer.contract.reasons.template.KINDS`)."""
