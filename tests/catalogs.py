"""The texts of the console, and its catalogs: `python -m tests.catalogs` brings these up to date.

A text that is new stands in each catalog without a translation, and one that is gone leaves it; what is missing then is
for a person who speaks the language to write. `tests/unit/db/console/reader/test_catalogs.py` fails until it is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import db.console
from db.console.reader.languages import CATALOGS, LANGUAGES, SOURCE
from db.console.reader.texts import WORDS
from producer.contract.reasons.recognition import TEMPLATES

CONSOLE = Path(db.console.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "Text": None}
HOW = [("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}


def texts() -> Catalog:
    """Every text of the console."""
    catalog = Catalog()
    for file, _, text, comments, _ in extract_from_dir(
        str(CONSOLE), method_map=HOW, options_map=OPTIONS, keywords=KEYWORDS
    ):
        catalog.add(text, locations=[(file, 0)], auto_comments=comments)
    for word in WORDS:
        catalog.add(word, locations=[("reader/texts.py", 0)])
    for template in TEMPLATES.values():
        catalog.add(template.text, locations=[("producer/contract/reasons", 0)])
    return catalog


def catalog_of(language: str) -> Catalog:
    """A catalog as it is in the tree."""
    with (CATALOGS / f"{language}.po").open("rb") as file:
        return read_po(file, language)


def translated() -> Iterator[tuple[str, Catalog]]:
    """Every language but that of the templates, with its catalog."""
    for language in LANGUAGES:
        if language != SOURCE:
            yield language, catalog_of(language)


def is_whole(message: Message) -> bool:
    """Whether a text is translated, in each of its forms."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def write(language: str, catalog: Catalog) -> None:
    """Write a catalog into the tree: the texts by themselves, in order."""
    with (CATALOGS / f"{language}.po").open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, no_location=True, omit_header=True, ignore_obsolete=True)


def main() -> None:
    """Bring the catalogs up to date."""
    for language, catalog in translated():
        catalog.update(texts(), no_fuzzy_matching=True)
        catalog.obsolete.clear()
        write(language, catalog)
        missing = [message.id for message in catalog if message.id and not is_whole(message)]
        print(f"{language}: {len(catalog)} texts, {len(missing)} without a translation")


if __name__ == "__main__":
    main()
