"""Faults in the console: who saw and closed them, and what stations and workers came to."""

from datetime import UTC, datetime, timedelta

import pytest
import uuid6

from db.line import faults
from db.people import audit
from db.queries import station_health
from db.queries.station_health import Outcomes, differ
from producer.contract.event import next_id
from tests.integration.conftest import on_both_engines
from tests.integration.db.conftest import T0


def a_fault(line, **changes):
    values = {
        "capture_id": None, "station": "st-1", "check_id": None, "pocket": 4, "reason": "image_missing",
        "detail": "the image <b>4.jpg</b> is not there", "event": "{}", "at": T0,
    }  # fmt: skip
    with line.database.transaction() as session:
        return faults.record(session, **(values | changes))


def found(line, number):
    with line.database.reading() as session:
        return faults.find(session, number)


def actions(line) -> list[tuple[str, str, str]]:
    with line.database.reading() as session:
        rows = audit.recent(session)
    return [(row.by, row.action, row.subject) for row in rows if "fault" in row.action][::-1]


def test_a_station_has_a_page_of_its_own(line, signed_in) -> None:
    for station in ("st-1", "st-2"):
        for pocket in range(1, 6):
            line.see(pocket, 1, "unusable", station=station, check_id=uuid6.uuid7())
    viewer = signed_in("viewer")
    both, one = viewer.get("/faults").text, viewer.get("/faults?station=st-2").text
    assert both.count("cannot be judged, since") == 2
    assert 'href="/faults?station=st-2"' in both
    assert one.count("cannot be judged, since") == 1
    assert "/search?station=st-2&amp;outcome=unusable" in one
    assert "st-1" not in one


def test_who_saw_a_fault_first_stays_and_who_closed_it_is_kept(line, signed_in) -> None:
    fault = a_fault(line)
    reviewer, maintainer = signed_in("reviewer"), signed_in("maintainer")
    assert "Nobody has seen it yet" in reviewer.get("/faults").text
    for browser in (reviewer, maintainer):
        assert browser.post("/faults/seen", {"fault": fault.id}).status_code == 303
    assert "Seen by the reviewer" in maintainer.get("/faults").text
    assert maintainer.post("/faults/dismiss", {"fault": fault.id}).status_code == 303
    kept = found(line, fault.id)
    assert (kept.state, kept.seen_by, kept.closed_by) == ("dismissed", "the reviewer", "the maintainer")
    assert "No fault matches" in maintainer.get("/faults").text
    assert "Closed by the maintainer" in maintainer.get("/faults?state=dismissed").text
    assert actions(line) == [
        ("the reviewer", "fault seen", str(fault.id)),
        ("the maintainer", "fault dismissed", str(fault.id)),
    ]


def test_another_try_is_asked_for_once(line, signed_in) -> None:
    fault, browser = a_fault(line), signed_in("maintainer")
    assert browser.post("/faults/again", {"fault": fault.id}).status_code == 303
    assert found(line, fault.id).state == "requeued"
    assert browser.post("/faults/again", {"fault": fault.id}).status_code == 409
    assert browser.post("/faults/again", {"fault": 999_999}).status_code == 404
    assert [action for _, action, _ in actions(line)] == ["fault requeued"]


def test_a_reviewer_sees_and_does_not_close(line, signed_in) -> None:
    fault, browser = a_fault(line), signed_in("reviewer")
    assert browser.post("/faults/dismiss", {"fault": fault.id}).status_code == 403
    assert "/faults/dismiss" not in browser.get("/faults").text
    assert found(line, fault.id).state == "open"


def test_faults_by_state_and_station_are_escaped(line, signed_in) -> None:
    a_fault(line)
    a_fault(line, station="st-2", event="other", detail="of the other")
    text = signed_in("viewer").get("/faults?station=st-1").text
    assert "&lt;b&gt;4.jpg" in text
    assert "of the other" not in text
    assert signed_in("viewer").get("/faults?state=lost").status_code == 400


@on_both_engines
def test_stations_and_workers_are_told_of(line, signed_in) -> None:
    now = datetime.now(UTC)
    line.see(1, captured_at=now - timedelta(hours=3), outcome="intact", check_id=uuid6.uuid7(), station="old")
    line.see(
        *(2, 0),
        captured_at=now - timedelta(minutes=9),
        check_id=uuid6.uuid7(),
        station="new",
        capture_id=next_id(None, of=7),
    )
    text = signed_in("viewer").get("/faults").text
    assert '<b class="state review">3 hr ago</b>' in text
    assert "A capture has waited for its verdict for 9 min" in text
    with line.database.reading() as session:
        stations = station_health.stations(session)
    assert [(each.station, each.says_order) for each in stations] == [("new", True), ("old", False)]
    assert text.count("it alone says the order") == 1
    assert "bring the station up to date" in text


@on_both_engines
def test_a_station_whose_photographs_change_is_marked(line, monkeypatch) -> None:
    monkeypatch.setattr(station_health, "WINDOW", 20)
    for number in range(40):
        line.see(1 + number % 2, number, "unusable" if number > 25 else "intact", check_id=uuid6.uuid7())
    with line.database.reading() as session:
        (station,) = station_health.stations(session)
    assert (station.now.counts["unusable"], station.before.counts["unusable"]) == (14, 0)
    assert station.drifts("unusable")
    assert not station.drifts("unsure")


@pytest.mark.parametrize(
    ("first", "second", "expected"), [(20, 20, False), (20, 30, False), (20, 60, True), (0, 0, False)]
)
def test_shares_differ_by_more_than_chance(first, second, expected) -> None:
    def of(count: int) -> Outcomes:
        return Outcomes(200, {"unusable": count, "unsure": 0, "damaged": 0})

    assert differ(of(first), of(second), "unusable") is expected
