"""The page of drift: what it says of a station, and who may accept it."""

from datetime import UTC, datetime, timedelta

import pytest

from db.line import station_days
from db.line.station_days import ASPECTS, Aspect, StationDay
from db.people import audit


@pytest.fixture
def drifting(line):
    """A station with a quiet day and two unlike ones, and one that is not compared yet; the captures to look at."""
    today = datetime.now(UTC).date()
    shown = [line.see(pocket, outcome="intact").capture_id for pocket in (1, 2)]
    with line.database.transaction() as session:
        for days_ago in (3, 2, 1):
            far = days_ago < 3
            aspects = {
                name: Aspect(
                    distance=0.5 if far and name == "brightness" else 0.01,
                    usual=0.05,
                    chance=0.001,
                    drifted=far and name == "brightness",
                    median=None if name == "features" else 81.0,
                    usual_median=None if name == "features" else 120.0,
                )
                for name in ASPECTS
            }
            day = today - timedelta(days=days_ago)
            at = datetime.now(UTC)
            row = StationDay("<b>st-1", day, at, 60, aspects=aspects, farthest=shown if far else ())
            station_days.record(session, row, b"sample" if days_ago == 3 else None)
        station_days.record(session, StationDay("a new one", today - timedelta(days=1), at, 2), None)
    return shown


def test_a_station_that_drifts_comes_first_with_its_farthest_photographs(drifting, signed_in) -> None:
    text = signed_in("viewer").get("/drift").text
    assert text.index("&lt;b&gt;st-1") < text.index("a new one")
    assert "unlike its usual ones for 2 days" in text
    assert '<b class="state review">brightness</b>' in text
    assert text.count('class="unlike"') == 2
    assert text.count("not compared yet") == len(ASPECTS)
    assert [f"/photographs/{capture}/small" in text for capture in drifting] == [True, True]
    assert "/drift/accept" not in text


@pytest.mark.usefixtures("drifting")
def test_a_maintainer_accepts_it_once(line, signed_in) -> None:
    browser = signed_in("maintainer")
    assert "/drift/accept" in browser.get("/drift").text
    assert signed_in("reviewer").post("/drift/accept", {"station": "<b>st-1"}).status_code == 403
    assert browser.post("/drift/accept", {"station": "<b>st-1"}).status_code == 303
    assert browser.post("/drift/accept", {"station": "<b>st-1"}).status_code == 404
    assert "unlike its usual ones" not in browser.get("/drift").text
    with line.database.reading() as session:
        assert station_days.reference_days(session, "<b>st-1") == []
        (entry,) = [row for row in audit.recent(session) if row.action == "drift accepted"]
    assert (entry.by, entry.subject, entry.detail) == ("the maintainer", "<b>st-1", {"days": 3})
