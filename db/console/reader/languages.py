"""Languages: which there are, their catalogs, and which one a browser gets."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from fastapi import Request

CATALOGS: Final = Path(__file__).parents[1] / "translations"
"""One `LANGUAGE.po` for each language but that of the templates. They are read as they are: nothing is compiled."""

SOURCE: Final = "en"
"""The language of the templates."""

LANGUAGES: Final = (SOURCE, *sorted(file.stem for file in CATALOGS.glob("*.po")))
"""All languages that a page can be shown in."""

COOKIE: Final = "language"
"""The cookie that keeps what was chosen in a browser."""

_MOST_ASKED: Final = 20


@cache
def translations(language: str) -> NullTranslations:
    """The texts of a language; those of the templates are their own."""
    if language == SOURCE:
        return NullTranslations()
    with (CATALOGS / f"{language}.po").open("rb") as file:
        catalog = read_po(file, language)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def name(language: str) -> str:
    """A language as those who speak it call it."""
    return (Locale.parse(language).get_display_name(language) or language).capitalize()


def locale_of(request: Request) -> Locale:
    """The reader's locale: of what was chosen, else the first that the browser asks for and there is, else English.

    Its region is kept (`de-CH`, `en-GB`), as numbers and dates differ by it.
    """
    accepted = _accepted(request.headers.get("Accept-Language", ""))
    locales = [locale for locale in accepted if locale.language in LANGUAGES]
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        locales = [*(locale for locale in locales if locale.language == chosen), Locale.parse(chosen)]
    return locales[0] if locales else Locale.parse(SOURCE)


def _accepted(header: str) -> list[Locale]:
    """The locales that a header names, the most wanted first; what is none is passed over."""
    weighed: list[tuple[float, Locale]] = []
    for part in header.split(",")[:_MOST_ASKED]:
        tag, _, weight = part.partition(";q=")
        try:
            weighed.append((float(weight or 1), Locale.parse(tag.strip(), sep="-")))
        except (ValueError, UnknownLocaleError):
            continue
    return [locale for weight, locale in sorted(weighed, key=lambda choice: -choice[0]) if weight > 0]
