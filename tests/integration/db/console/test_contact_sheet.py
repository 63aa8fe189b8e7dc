"""The contact sheet: only what was shown is labelled, as the model says, and its provenance stays with it."""

import uuid6

from db.learning import reviews, snapshots
from db.people import audit
from db.queries import contact_sheet
from tests.integration.conftest import on_both_engines
from tests.integration.db.conftest import T0

pytestmark = on_both_engines  # what it shows is asked of the database by itself

PLACE = {"machine": "mill-1", "head": "head-1"}


def labels(line) -> list[tuple]:
    with line.database.reading() as session:
        return [(each.capture_id, each.label, each.provenance, each.by) for each in reviews.recent(session)][::-1]


def test_what_was_shown_is_labelled_in_bulk_and_nothing_else(line, signed_in) -> None:
    intact, damaged, unseen = line.see(1, 0, "intact"), line.see(2, 0, "damaged"), line.see(3, 0, "intact")
    browser = signed_in("reviewer")
    shown = [f"{intact.capture_id} intact", f"{damaged.capture_id} damaged"]
    answer = browser.post("/sheet/confirm", PLACE | {"shown": shown})
    assert answer.status_code == 303
    assert labels(line) == [
        (intact.capture_id, "intact", "bulk", "the reviewer"),
        (damaged.capture_id, "damaged", "bulk", "the reviewer"),
    ]
    assert unseen.capture_id not in {row[0] for row in labels(line)}
    assert "2 photographs were labelled" in browser.get(answer.headers["location"]).text
    with line.database.reading() as session:
        row = audit.recent(session)[0]
    assert (row.action, row.subject) == ("reviewed in bulk", "mill-1 · head-1")
    assert row.detail == {"count": 2, "captures": [str(intact.capture_id), str(damaged.capture_id)]}


def test_photographs_of_another_head_are_left_alone(line, signed_in) -> None:
    shown = {"shown": [f"{line.see(1, 0, 'intact').capture_id} intact"]}
    browser = signed_in("reviewer")
    answer = browser.post("/sheet/confirm", {"machine": "mill-1", "head": "<b>no head</b>"} | shown)
    assert (answer.status_code, labels(line)) == (303, [])
    assert browser.get("/sheet?machine=mill-1&head=head-1&left_out=1").text.count("1 was left alone") == 1


def test_what_changed_meanwhile_is_left_alone(line, signed_in) -> None:
    said, other, unsure = line.see(1, 0, "intact"), line.see(2, 0, "damaged"), line.see(3, 0, "unsure")
    line.say(said, "worn")
    shown = [f"{said.capture_id} intact", f"{other.capture_id} intact", f"{unsure.capture_id} unsure"]
    browser = signed_in("reviewer")
    answer = browser.post("/sheet/confirm", PLACE | {"shown": shown})
    assert [row[1:3] for row in labels(line)] == [("worn", "single")]
    assert "3 were left alone" in browser.get(answer.headers["location"]).text


def test_a_sample_is_looked_at_by_itself(line, signed_in) -> None:
    for pocket in range(1, 61):
        line.see(pocket, 0, "intact", check_size=60)
    with line.database.reading() as session:
        rows = contact_sheet.sheet(session, "mill-1", "head-1")
    samples = [row for row in rows if row.sample]
    assert 1 <= len(samples) <= 3
    assert not any(row.confirmable for row in samples)
    with line.database.transaction() as session:
        shown = {row.capture_id: "intact" for row in rows}
        assert len(contact_sheet.confirm(session, "mill-1", "head-1", shown, by="ana", at=T0)) == 60 - len(samples)


def test_the_sheet_shows_the_newest_of_each_pocket(line, signed_in) -> None:
    line.see(1, 0, "damaged")
    newest = line.see(1, 5, "intact", check_id=uuid6.uuid7())
    text = signed_in("reviewer").get("/sheet").text
    assert f'value="{newest.capture_id} intact"' in text
    assert "damaged</span>" not in text
    assert signed_in("reviewer").get("/sheet?machine=x&head=y").status_code == 404
    assert signed_in("reviewer").post("/sheet/confirm", PLACE | {"shown": ["x intact"]}).status_code == 400


def test_how_a_label_came_is_kept_in_the_set_and_its_snapshot(line) -> None:
    first, second = line.see(1, 0, "intact"), line.see(2, 0, "damaged")
    line.say(first, "intact", provenance="bulk")
    line.say(second, "damaged")
    with line.database.transaction() as session:
        taken = snapshots.take(session, T0)
        now = {item.capture_id: item.provenance for item in reviews.labelled(session)}
        then = {item.capture_id: item.provenance for item in snapshots.items(session, taken.snapshot_id)}
    assert now == then == {first.capture_id: "bulk", second.capture_id: "single"}
