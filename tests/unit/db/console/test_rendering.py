"""What the templates are made of: they escape, they can be translated, and have nothing that the policy forbids."""

import re
from pathlib import Path

import pytest
from babel import Locale

import db.console
from db.console.rendering import make_templates
from producer.contract.vocabulary import DAMAGE_KINDS

FOLDER = Path(db.console.__file__).parent
ENGLISH = Locale.parse("en")
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_what_the_policy_forbids(template) -> None:
    text = template.read_text(encoding="utf-8")
    assert re.findall(r"\sstyle=|\son\w+=|<style|javascript:|\|\s*safe|https?://", text) == []
    assert re.findall(r"<script(?! type=\"module\" src=\"/static/)", text) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_word_of_a_template_can_be_translated(template) -> None:
    text = re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"<code[^>]*>insert-(db|station|worker) .*?</code>", "", text)  # a command is the same everywhere
    assert re.findall(r">[^<>]*?([A-Za-z]{3,}[^<>]*)<", text) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_only_what_stands_in_a_template_is_taken_for_markup(template) -> None:
    """What `_` says is not escaped, so it never says a value."""
    assert re.findall(r"\b(?:_|n?gettext)\((?!\s*[\"'])[^)]*", template.read_text(encoding="utf-8")) == []


def test_a_word_of_the_data_is_translated_and_anything_else_escaped() -> None:
    template = make_templates().from_string("{{ x|word }}")
    assert template.render(x="worn", locale=Locale.parse("de")) == "verschlissen"
    assert template.render(x="<b>", locale=ENGLISH) == "&lt;b&gt;"


def test_words_of_which_any_will_do_are_listed_in_the_readers_language() -> None:
    template = make_templates().from_string("{{ kinds|either }}")
    assert template.render(kinds=DAMAGE_KINDS, locale=ENGLISH) == "worn or broken"
    assert template.render(kinds=("worn", "<b>", "broken"), locale=Locale.parse("de")) == (
        "verschlissen, &lt;b&gt; oder ausgebrochen"
    )


def test_text_is_escaped_and_a_name_that_is_missing_is_an_error() -> None:
    templates = make_templates()
    assert templates.from_string("{{ _('a') }} {{ x }}").render(x="<b>", locale=ENGLISH) == "a &lt;b&gt;"
    with pytest.raises(Exception, match="undefined"):
        templates.from_string("{{ x }}").render(locale=ENGLISH)


def test_scripts_and_styles_are_ours_and_name_no_other_host() -> None:
    for file in (FOLDER / "static").iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?:|//\w+\.\w+/|\beval\(|@import", text) == [], file.name
