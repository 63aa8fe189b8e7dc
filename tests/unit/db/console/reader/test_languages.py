"""Which language a browser gets."""

import pytest
from fastapi import Request

from db.console.reader.languages import LANGUAGES, locale_of, name, translations


def asked(header: str | None = None, cookie: str | None = None) -> str:
    headers = [(b"accept-language", header.encode("latin-1"))] if header is not None else []
    headers += [(b"cookie", f"language={cookie}".encode())] if cookie is not None else []
    return str(locale_of(Request({"type": "http", "headers": headers})))


@pytest.mark.parametrize(
    ("header", "got"),
    [
        (None, "en"),
        ("", "en"),
        ("de-CH,de;q=0.9,en;q=0.8", "de_CH"),
        ("fr,es;q=0.7,de;q=0.8", "de"),  # the first that there is
        ("de;q=0,es;q=0.1", "es"),  # by no means German
        ("en-GB", "en_GB"),
        ("fr, ja", "en"),
        ("*, ;;q=x,de;q=later, " + "x" * 9000, "en"),
        (",".join(["fr"] * 500), "en"),
    ],
)
def test_the_first_language_that_the_browser_asks_for_and_there_is(header: str | None, got: str) -> None:
    assert asked(header) == got


@pytest.mark.parametrize(
    ("header", "cookie", "got"),
    [
        ("de-CH,de;q=0.9", "es", "es"),
        ("es-MX,de", "es", "es_MX"),  # the region is kept
        ("de", "../../etc/passwd", "de"),
        (None, "", "en"),
    ],
)
def test_what_was_chosen_counts_more(header: str | None, cookie: str, got: str) -> None:
    assert asked(header, cookie) == got


def test_each_language_is_named_in_itself_and_has_its_texts() -> None:
    assert {each: name(each) for each in LANGUAGES} == {"en": "English", "de": "Deutsch", "es": "Español"}
    assert [translations(each).ugettext("Line") for each in LANGUAGES] == ["Line", "Linie", "Línea"]
