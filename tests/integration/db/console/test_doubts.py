"""Why a head is to be looked at although its newest photographs are fine: who follows the board's number finds it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import uuid6

from db.line import checks, incomplete_checks

NOW = datetime.now(UTC)


def test_the_reason_of_an_old_doubt_is_where_the_board_leads(line, signed_in) -> None:
    def see(pocket: int, minutes: float, **how: object):
        return line.see(pocket, outcome="intact", captured_at=NOW - timedelta(minutes=minutes), **how)

    shown = [see(pocket, 40, check_size=3) for pocket in (1, 2, 3)]
    again = {"image_sha256": shown[2].image_sha256, "operation": "op-2", "check_id": uuid6.uuid7()}
    see(3, 30, check_size=1, **again)
    with line.database.transaction() as session:
        incomplete_checks.doubt(session, checks.to_doubt(session, [again["check_id"]]))
    for minutes in range(10, 3, -1):
        see(1, minutes, check_size=1, check_id=uuid6.uuid7(), operation="op-3")
    browser = signed_in("reviewer")
    assert '<b>REVIEW</b> <span class="numbers">3</span>' in browser.get("/").text

    pocket = browser.get("/pocket?machine=mill-1&head=head-1&pocket=3").text
    doubt = re.search(r'id="doubt">(.*?)</p>', pocket)[1]
    assert "The check after op-2 does not believe its newest photograph." in doubt
    assert "contradiction" in doubt
    assert doubt.endswith("<b>unsure</b>")
    assert 'id="doubt"' not in browser.get("/pocket?machine=mill-1&head=head-1&pocket=2").text

    sheet = browser.get("/sheet?machine=mill-1&head=head-1").text
    assert sheet.count("not believed by the check after op-2") == 1
    assert sheet.count(" data-confirmable>") == 2, "what is not believed is looked at by itself"

    [unknown] = re.findall(r'<li id="unknown">(.*?)</li>', browser.get("/handover").text)
    assert "1 pocket of which nobody knows what is in it" in unknown
    assert "mill-1 · head-1: " in unknown
    assert unknown.count("</a>") == 1


def test_who_may_not_review_is_led_to_photographs(line, signed_in) -> None:
    capture = line.see(1, outcome="damaged", captured_at=NOW, check_size=1)
    viewer = signed_in("viewer")
    for path in ("/search", "/pocket?machine=mill-1&head=head-1&pocket=1"):
        page = viewer.get(path).text
        assert "/review?capture" not in page
        assert f"/photographs/{capture.capture_id}/large" in page
