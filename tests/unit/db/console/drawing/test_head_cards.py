"""A head is drawn again where it shows something else, and only there; its age is always that of now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from babel import Locale

from db.console.drawing import head_cards
from db.console.drawing.head_cards import Card, HeadCards
from db.console.rendering import make_templates
from db.line.checks import Check
from db.line.head_checks import Span
from db.queries.head_answer import HeadCheck, HeadOverview

EN, DE = Locale.parse("en"), Locale.parse("de")
AT = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = Span(AT, AT)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def card(head: str = "head-1", operation: str = "op-1", **words: str) -> Card:
    pockets = {1: "intact", 2: "damaged"} | {int(pocket[1:]): word for pocket, word in words.items()}
    check = Check(UUID(int=1), "st-1", "mill-1", head, operation, 2, AT, "replace", (2,), (), 2)
    overview = HeadOverview("mill-1", head, pockets, AT, [HeadCheck(check, dict(pockets), SPAN)], size=2, fresh_at=AT)
    return Card(overview, layout="circle", unlearnt=False)


def with_overview(**changes: object) -> Card:
    return replace(card(), overview=replace(card().overview, **changes))


@pytest.fixture
def cards(monkeypatch) -> HeadCards:
    made = HeadCards(make_templates())
    made.drawn = []
    template = made._templates.get_template("head.html")

    class Counted:
        def render(self, **values: object) -> str:
            made.drawn.append(values)
            return template.render(**values)

    class Templates:
        get_template = staticmethod(lambda _: Counted())

    monkeypatch.setattr(made, "_templates", Templates())
    return made


def test_what_shows_the_same_is_drawn_once_and_its_age_is_that_of_now(cards) -> None:
    young, old = (cards.text(EN, card(), age, HOUR - age) for age in (MINUTE, 5 * MINUTE))
    assert len(cards.drawn) == 1
    assert 'data-age="60" data-stale-in="3540">1 min</text>' in young
    assert str(old) == str(young).replace('"60"', '"300"').replace('"3540"', '"3300"').replace(">1 min<", ">5 min<")


@pytest.mark.parametrize(
    "other",
    [
        card(p1="damaged"),
        card(p3="unsure"),
        card(operation="op-2"),
        with_overview(old={1, 2}, fresh_at=None),
        replace(card(), unlearnt=True),
        with_overview(size=3),
        replace(card(), layout="row"),
    ],
    ids=["word", "pocket", "operation", "stale", "unlearnt", "size", "layout"],
)
def test_whatever_differs_is_drawn_anew(cards, other) -> None:
    before = cards.text(EN, card(), MINUTE, HOUR)
    after = cards.text(EN, other, MINUTE, HOUR)
    assert len(cards.drawn) == 2
    assert after != before
    assert after == HeadCards(make_templates()).text(EN, other, MINUTE, HOUR)


def test_who_reads_another_language_gets_a_drawing_of_its_own(cards) -> None:
    english, german = (cards.text(locale, card(), MINUTE, HOUR) for locale in (EN, DE))
    assert "REPLACE" in english
    assert "WECHSELN" in german
    assert cards.text(EN, card(), MINUTE, HOUR) == english
    assert len(cards.drawn) == 2


def test_nothing_of_who_asks_or_when_goes_into_a_drawing(cards) -> None:
    cards.text(EN, card(), MINUTE, HOUR)
    assert cards.drawn[0].keys() == {"locale", "card", "age_here"}


def test_a_name_like_the_place_of_the_age_is_text(cards) -> None:
    shown = cards.text(EN, card(head="<age>", operation="<age>"), MINUTE, HOUR)
    assert shown.count("data-age") == 2  # within the map and below it
    assert "&lt;age&gt;" in shown


def test_so_many_are_kept_at_most_and_the_oldest_go_first(cards, monkeypatch) -> None:
    monkeypatch.setattr(head_cards, "MOST_DRAWINGS", 2)
    for head in ("a", "b", "c", "c", "b", "a"):
        cards.text(EN, card(head), MINUTE, HOUR)
    assert [values["card"].overview.head for values in cards.drawn] == ["a", "b", "c", "a"]
    assert len(cards._drawn) == 2


@pytest.mark.parametrize(("state", "stale"), [("go", True), ("replace", False), ("review", False)])
def test_a_pocket_that_was_photographed_long_ago_makes_no_go(cards, state, stale) -> None:
    """What is to be done at others is to be done all the same."""
    words = {"go": "intact", "replace": "damaged", "review": "unsure"}[state]
    check = replace(card().overview.operations[0].check, state="go", replace=())
    known = with_overview(
        words={1: words, 2: "intact"}, operations=[HeadCheck(check, {1: words}, SPAN)], old=frozenset({2})
    )
    assert (known.overview.answer.state, known.overview.state) == (state, "stale" if stale else state)
    drawn = cards.text(EN, known, MINUTE, HOUR)
    assert f'class="card {"stale" if stale else state}"' in drawn
    assert "photographed long ago: 2" in drawn
    of_before = with_overview(**vars(known.overview) | {"old": frozenset({1, 2}), "fresh_at": None})
    assert of_before.overview.state == ("stale" if stale else state)
    drawn = cards.text(EN, of_before, MINUTE, HOUR)
    assert f'class="card {"stale" if stale else f"{state} aged"}"' in drawn
    assert ("still to be done" in drawn) == (not stale)
