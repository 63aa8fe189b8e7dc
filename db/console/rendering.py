"""Pages out of templates: text is escaped, and everything is in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from babel import Locale
from babel.lists import format_list
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from db.console.context import console_of
from db.console.drawing.head_map import pockets, rings
from db.console.edition import edition
from db.console.reader import formats, reasons
from db.console.reader.languages import LANGUAGES, locale_of, name, translations
from db.console.reader.texts import WORDS
from db.people.rights import may
from db.queries.pockets_now import POCKET_WORDS

FORMATS: Final = (formats.moment, formats.day, formats.age, formats.percent, formats.number)
"""What writes a value for the reader; each is a filter of its name in the templates."""

_WORDS: Final = frozenset(WORDS)


@cache
def make_templates() -> Environment:
    """The templates of this package, which a process compiles once.

    They need the reader's `locale`; `_` and `ngettext` are the texts in its language.
    Jinja takes what `_` says for markup, so it is for what stands in a template; a value is for the filter `word`.
    What one template imports from another needs that too: `import ... with context`.
    """
    environment = Environment(
        loader=PackageLoader("db.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # What i18n would install calls three functions for each text, of which a line has hundreds.
    environment.newstyle_gettext = True  # type: ignore[attr-defined]  # of i18n
    environment.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext)
    environment.filters.update({write.__name__: _of_reader(write) for write in FORMATS})
    environment.filters["word"] = _word
    environment.filters["either"] = _either
    environment.filters["reason"] = _reason
    environment.filters["reasons"] = _reasons
    environment.globals.update(pockets=pockets, rings=rings, pocket_words=_pocket_words)
    environment.globals["edition"] = edition()
    environment.globals["languages"] = {language: name(language) for language in LANGUAGES}
    return environment


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, or a piece of one, for a browser."""
    return HTMLResponse(rendered(request, template, **values), status)


def rendered(request: Request, template: str, **values: Any) -> str:
    """The text of a page or of a piece of one."""
    # Set by what let the request in (`db.console.access.guard`); None where nobody needs to be known.
    person = getattr(request.state, "person", None)
    shared = {
        "person": person,
        "may": lambda right: person is not None and may(person.role, right),
        "locale": locale_of(request),
        "here": request.url.path,
        "address": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "now": datetime.now(UTC),
    }
    return console_of(request).templates.get_template(template).render({**shared, **values})


@pass_context
def _gettext(context: Context, text: str, /, **values: object) -> Markup:
    translation = _translated(context["locale"].language, text)
    return translation % values if values else translation


@cache
def _translated(language: str, text: str) -> Markup:
    """A text of a template, in a language; without values, `%%` is a percent sign there."""
    translation = Markup(translations(language).ugettext(text))  # noqa: S704 - ours: `test_rendering.py` holds it
    return translation if "%(" in translation else translation % {}


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int, /, **values: object) -> Markup:
    translation = translations(context["locale"].language).ungettext(one, many, number)
    return Markup(translation) % {"num": number, **values}  # noqa: S704 - as above


@pass_context
def _word(context: Context, value: str) -> str:
    """A word of the data in the reader's language, or whatever else it is; the template escapes it."""
    return str(translations(context["locale"].language).ugettext(value)) if value in _WORDS else value


@pass_context
def _either(context: Context, values: Sequence[str]) -> str:
    """Words of the data, of which any will do, in the reader's language."""
    return format_list([_word(context, value) for value in values], "or", context["locale"])


@pass_context
def _reason(context: Context, sentence: str, most: int | None = None) -> Markup:
    """A reason in the reader's language, of many characters the first; other words are marked as English."""
    text = reasons.translated(context["locale"], sentence)
    return escape(text[:most]) if text is not None else Markup('<span lang="en">{}</span>').format(sentence[:most])


@pass_context
def _reasons(context: Context, sentence: str) -> Markup:
    """Why a person or the promotion rule gave a model its role: what the rule says in the reader's language.

    A person's text is in an unknown language, and stays unchanged.
    """
    locale = context["locale"]
    whole = reasons.translated(locale, sentence)
    parts = [sentence] if whole is not None else sentence.split("; ")
    known = [reasons.translated(locale, part) for part in parts]
    if not any(known):
        return Markup('<span lang="">{}</span>').format(sentence)
    written = (Markup('<span lang="">{}</span>').format(part) for part in parts)
    return Markup("; ").join(translation or own for translation, own in zip(known, written, strict=True))


@pass_context
def _pocket_words(context: Context) -> Mapping[str, str]:
    return _words_of_pockets(context["locale"].language)


_NEW = "new, not looked at yet"
"""What a pocket with a new insert shows: by itself the word says too little."""


@cache
def _words_of_pockets(language: str) -> Mapping[str, str]:
    """What a pocket can show, in a language: looked up once, and not for each of fifty heads."""
    translate = translations(language).ugettext
    return {word: str(translate(_NEW if word == "new" else word)) for word in POCKET_WORDS}


def _of_reader(write: Callable[..., str]) -> Callable[..., str]:
    """A filter that knows for whom it writes."""

    @pass_context
    def written(context: Context, value: object, *how: object) -> str:
        locale: Locale = context["locale"]
        return write(locale, value, *how)

    return written
