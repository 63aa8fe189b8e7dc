"""The hand-over of a shift: flagged, overruled, changed, open."""

import re
from datetime import timedelta

import pytest
import uuid6
from sqlalchemy import insert

from db.console import left_open
from db.console.pages import hand_over as page
from db.learning import model_registry, remaining_lives
from db.learning.change_cost import ChangeCosts
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line import faults, insert_changes
from db.queries import hand_over
from db.schema.tables import Reviews
from producer.contract.names import IMPORTED
from tests.integration.conftest import on_both_engines
from tests.integration.db.conftest import T0

pytestmark = on_both_engines  # what it shows is asked of the database by itself


def shift(line, minute: float = 0) -> hand_over.HandOver:
    with line.database.reading() as session:
        return hand_over.since(session, T0 + timedelta(minutes=minute), ChangeCosts(1.0, 4.0))


def test_what_was_judged_damaged_since_then(line) -> None:
    line.see(1, 0, "damaged")
    line.see(2, 10, "damaged")
    line.see(3, 20, "damaged")
    line.see(4, 20, "intact")
    line.see(5, 20, "damaged", machine=IMPORTED)
    told = shift(line, 10)
    assert [row.pocket for row in told.flagged] == [3, 2]
    assert [row.pocket for row in told.to_replace] == [1, 2, 3]


def test_damage_that_a_person_found_where_no_model_had_decided_is_flagged_too(line, signed_in) -> None:
    """As flagged as what a model found: a fifth of all photographs is left to people."""
    verdicts = ("unsure", "unusable", None, "unsure", "unsure", "damaged", "intact")
    captures = [line.see(pocket, 0, outcome) for pocket, outcome in enumerate(verdicts, 1)]
    labels = ("broken", "worn", "damaged", "intact", "broken", "broken", "broken")
    for capture, label in zip(captures, labels, strict=True):
        line.say(capture, label)
    line.say(captures[4], "intact")  # taken back
    told = shift(line, 60)
    assert [(row.pocket, row.outcome, row.review) for row in told.flagged] == [
        (3, None, "damaged"),
        (2, "unusable", "worn"),
        (1, "unsure", "broken"),
    ], "beside what was judged before the shift, and what is told as overruled"
    assert [row.pocket for row in told.overruled] == [7]
    assert shift(line, 121).flagged == []
    text = signed_in("viewer").get("/handover?since=2026-11-22").text
    assert "<td>pending</td><td>damaged</td>" in text


def test_overruled_is_the_opposite_of_a_verdict_by_its_newest_review(line) -> None:
    verdicts = ("damaged", "intact", "intact", "damaged", "unsure", "intact", "damaged")
    captures = [line.see(pocket, 0, outcome) for pocket, outcome in enumerate(verdicts, 1)]
    labels = ("intact", "worn", "unusable", "broken", "damaged", "broken", "intact")
    for capture, label in zip(captures, labels, strict=True):
        line.say(capture, label)
    line.say(captures[5], "intact")  # on a second look it was right
    line.say(captures[6], "intact", by="bert")  # said twice it is overruled once
    told = shift(line, 60)
    assert [(row.pocket, row.outcome, row.said, row.said_by) for row in told.overruled] == [
        (7, "damaged", "intact", "bert"),
        (2, "intact", "worn", "ana"),
        (1, "damaged", "intact", "ana"),
    ]
    assert shift(line, 121).overruled == []


def test_what_was_overruled_is_told_however_much_was_said_since(line, signed_in, monkeypatch) -> None:
    line.say(line.see(1, 0, "damaged"), "intact")
    right = line.see(2, 0, "intact")
    review = {"capture_id": right.capture_id, "label": "intact", "by": "ana", "at": T0 + timedelta(hours=2)}
    with line.database.transaction() as session:
        session.execute(insert(Reviews), [{**review, "provenance": "bulk"}] * 1_500)
    told = shift(line, 60)
    assert ([row.pocket for row in told.overruled], told.overruled_of) == ([1], None)
    monkeypatch.setattr(hand_over, "REVIEWS", 1_500)
    text = signed_in("viewer").get("/handover?since=2026-11-22").text
    assert "Of the newest 1500 reviews of the shift alone; there are more." in text


def test_what_is_open_is_open_whenever_it_came(line) -> None:
    asked = line.see(1, 0, "unsure")
    line.see(2, 1, "unsure")
    line.say(asked, "intact")
    with line.database.transaction() as session:
        text = {"station": "st-1", "reason": "image_missing", "detail": "", "event": "{}"}
        faults.record(session, capture_id=None, check_id=None, pocket=4, at=T0, **text)
    told = shift(line, 600)
    assert [row.pocket for row in told.to_look_at] == [2]
    assert [fault.reason for fault in told.faults] == ["image_missing"]


def test_what_may_not_last_as_many_operations_again(line, signed_in) -> None:
    curve = SurvivalCurve(tuple(map(float, range(1, 16))))  # the tenth part is damaged after four operations
    fit = LifeFit(T0, followed=30, ended=12, needed=10, new=curve)
    for pocket in (1, 2):
        line.see(pocket, 0, "intact")
    for minute in range(10, 15):  # five operations of the shift
        line.see(1, minute, "intact", check_id=uuid6.uuid7())
    longer = curve.after(0.0), SurvivalCurve(tuple(map(float, range(10, 160, 10))))
    lives = [RemainingLife("mill-1", "head-1", pocket, 3, 9, T0, longer[pocket - 1], curve) for pocket in (1, 2)]
    with line.database.transaction() as session:
        remaining_lives.store(session, fit, lives, [])
    (row,) = shift(line, 5).not_lasting
    assert (row.pocket, row.operations) == (1, 8)
    assert 0.1 < row.risk < 0.5
    assert row.cost_later == pytest.approx(3 * row.risk)
    browser = signed_in("viewer")
    browser.client.headers["Accept-Language"] = "de"
    assert f"{row.cost_later:.2f}".replace(".", ",") in browser.get("/handover?since=2026-11-22T10:05:00Z").text
    assert shift(line, 14).not_lasting == [], "one operation it will do"


def test_the_page_tells_it_and_begins_where_it_is_asked_to(line, signed_in) -> None:
    line.see(1, 0, "damaged")
    line.model("m-1")
    with line.database.transaction() as session:
        insert_changes.record(session, "mill-1", "head-1", 1, by="ana", at=T0 + timedelta(minutes=5))
        model_registry.promote(session, "m-1", by="ana", reason="the <b>first</b>", at=T0 + timedelta(minutes=6))
    browser = signed_in("viewer")
    text = browser.get("/handover?since=2026-11-22").text
    assert text.count("mill-1 · head-1 · 1") == 2
    assert "0 inserts to change" in text
    assert "the &lt;b&gt;first&lt;/b&gt;" in text
    assert 'href="/review"' not in text
    # The last eight hours had nothing.
    assert browser.get("/handover").text.count("Nothing.") == 2
    assert browser.get("/handover?since=yesterday").status_code == 400


def test_pockets_of_one_head_are_told_together(line, signed_in) -> None:
    for pocket, head in ((1, "head-1"), (2, "head-1"), (7, "HEAD-1")):
        line.see(pocket, 0, "damaged", head=head, check_id=uuid6.uuid7(), check_size=1)
    text = re.sub(r"<[^>]+>", "", signed_in("viewer").get("/handover").text)
    assert "3 inserts to change: mill-1 · HEAD-1: 7; mill-1 · head-1: 1, 2\n" in text


def test_what_nobody_knows_is_told_of_every_head_however_long_ago_it_was_photographed(
    line, signed_in, monkeypatch
) -> None:
    for number in range(left_open.HEADS_AT_ONCE + 3):
        outcome = "intact" if number else "unusable"
        line.see(1, number, outcome, head=f"head-{number}", check_id=uuid6.uuid7(), check_size=1)
    browser = signed_in("viewer")
    text = browser.get("/handover").text
    assert "1 pocket of which nobody knows what is in it: " in text
    assert "mill-1 · head-0: " in text
    assert "was looked for in" not in text
    monkeypatch.setattr(page, "HEADS", 20)
    text = browser.get("/handover").text
    assert "mill-1 · head-0: " not in text
    assert "was looked for in 20 heads" in text


def test_a_shift_that_is_still_to_come_tells_nothing(signed_in) -> None:
    answer = signed_in("viewer").get("/handover?since=2126-11-29")
    assert (answer.status_code, "still to come" in answer.text) == (400, True)


def test_a_list_that_is_full_says_so(line, signed_in, monkeypatch) -> None:
    monkeypatch.setattr(hand_over, "MOST_OF_A_KIND", 2)
    for pocket in range(1, 4):
        line.see(pocket, 0, "damaged")
        line.see(pocket + 10, 0, "unsure")
    text = signed_in("viewer").get("/handover?since=2026-11-22").text
    assert "The newest 2; there may be more." in text
    assert "2 photographs and more to look at" in text


def test_photographs_by_themselves_are_no_operation_each(line) -> None:
    for minute in range(3):
        for pocket in (1, 2, 3):
            line.see(pocket, minute, "intact", head="by-one", check_id=uuid6.uuid7(), check_size=1)
        line.see(1, minute, "intact", head="whole", check_id=uuid6.uuid7(), check_size=6)
        line.see(2, minute, "intact", head="whole", check_id=uuid6.uuid7(), check_size=1)  # a changed insert
    with line.database.reading() as session:
        done = hand_over._operations(session, T0 + timedelta(minutes=1))
    assert done == {("mill-1", "by-one"): 2, ("mill-1", "whole"): 2}
