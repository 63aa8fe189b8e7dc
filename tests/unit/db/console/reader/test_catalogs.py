"""Every catalog has every text, with what is filled in, and no other."""

import re
from collections import Counter

import pytest
from babel.messages.catalog import Message

from db.console.reader.languages import LANGUAGES
from tests.catalogs import CONSOLE, catalog_of, is_whole, texts, translated

TEXTS = {message.id: message for message in texts() if message.id}
OTHERS = [each for each, _ in translated()]
UPDATE = "run `python -m tests.catalogs`, then translate what it counts"


def forms(text: object) -> list[str]:
    return list(text) if isinstance(text, tuple | list) else [str(text)]


def filled_in(text: str) -> Counter[str]:
    return Counter(re.findall(r"%\(\w+\)[a-z]|{[^}]*}", text))


def test_the_texts_are_found() -> None:
    assert LANGUAGES == ("en", "de", "es")
    assert len(TEXTS) > 150
    for text in (
        "Line",
        "unusable",
        "The model is unsure",
        "there is no model yet",
        ("%(num)s insert", "%(num)s inserts"),
    ):  # each kind of source
        assert text in TEXTS, text


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalog_is_whole_and_has_nothing_else(language: str) -> None:
    catalog = catalog_of(language)
    assert {message.id for message in catalog if message.id} == TEXTS.keys(), UPDATE
    assert [message.id for message in catalog if message.id and not is_whole(message)] == [], UPDATE
    assert [message.id for message in catalog if message.fuzzy and message.id] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_same_to_fill_in(language: str) -> None:
    def differs(message: Message) -> bool:
        wanted = filled_in(forms(message.id)[-1])
        return any(filled_in(form) != wanted for form in forms(message.string))

    assert [message.id for message in catalog_of(language) if message.id and differs(message)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_ends_as_its_text_does_and_keeps_its_room(language: str) -> None:
    ends = re.compile(r"[.:?…]?$")
    other = []
    for message in catalog_of(language):
        if not message.id:
            continue
        text = forms(message.id)[-1]
        for said in forms(message.string):
            same = ends.search(text).group() == ends.search(said).group()  # type: ignore[union-attr]
            if not same or said != said.strip() or len(said) > 2.6 * len(text) + 12:
                other.append((text, said))
    assert other == []


def test_no_script_has_a_sentence_of_its_own() -> None:
    """What a script says stands in its page, where it is translated."""
    said = {}
    for script in sorted((CONSOLE / "static").glob("*.js")):
        code = re.sub(r"/\*.*?\*/|^\s*//.*?$|//[^\"'`\n]*$", "", script.read_text(), flags=re.DOTALL | re.MULTILINE)
        literals = re.findall(r"\"[^\"\n]*\"|`[^`]*`", code)
        said[script.name] = [
            each for each in literals if re.match(r".[A-Z][a-z]+ |.*[a-z]{2} [a-z]{2,} [a-z]{2}", each)
        ]
    assert [name for name, sentences in said.items() if sentences] == []
    assert len(said) >= 5
