"""Texts that come from Python."""

import pytest
from babel import Locale

from db.console.reader.texts import Text

GERMAN = Locale.parse("de_AT")


def test_a_text_is_english_until_it_is_said_in_another_language() -> None:
    text = Text("%(given)r is no pocket: write its number", given="one")
    assert text == "'one' is no pocket: write its number"
    assert text.translated(GERMAN) == "'one' ist kein Plattensitz: seine Nummer eingeben"


def test_what_is_filled_in_may_be_a_text_itself() -> None:
    text = Text("this needs the role %(role)s; %(name)s is %(has)s", role=Text("reviewer"), name="ana", has="viewer")
    assert text.translated(GERMAN) == "dafür braucht es die Rolle Beurteiler; ana ist viewer"


@pytest.mark.parametrize("text", ["100% of it", "%(x)s is data here", "a text of another version"])
def test_what_no_catalog_has_is_said_as_it_is(text: str) -> None:
    assert Text(text) == Text(text).translated(GERMAN) == text
