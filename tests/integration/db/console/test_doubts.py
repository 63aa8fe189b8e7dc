"""Why a head is to be looked at although its newest photographs are fine: who follows the board's number finds it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import uuid6

from db.line import checks, incomplete_checks
from db.line.captures import Capture

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


def test_damage_that_a_person_saw_late_is_said_where_the_board_leads_and_not_confirmed_away(line, signed_in) -> None:
    def run(minutes: float, *outcomes: str, **how: Any) -> list[Capture]:
        at = {"check_size": 3, "check_id": uuid6.uuid7(), "captured_at": NOW - timedelta(minutes=minutes)}
        return [line.see(pocket, outcome=outcome, **at, **how) for pocket, outcome in enumerate(outcomes, 1)]

    earlier = run(40, "intact", "intact", "unsure", operation="op-1")[2]
    shown = run(10, "intact", "intact", "intact", operation="op-2")
    line.say(earlier, "broken", at=NOW)
    browser = signed_in("reviewer")
    assert '<b>REPLACE</b> <span class="numbers">3</span>' in browser.get("/").text
    address = "/pocket?machine=mill-1&amp;head=head-1&amp;pocket=3"
    assert address in browser.get("/replace").text
    assert address in browser.get("/handover").text

    pocket = browser.get(html.unescape(address)).text
    [late] = re.findall(r'id="late">(.*?)</section>', pocket, re.DOTALL)
    assert "the photograph after op-1 shows: <b>broken</b>" in late
    assert f"/photographs/{earlier.capture_id}/small" in late
    assert "Perhaps the insert that is in it now" in pocket
    other = browser.get("/pocket?machine=mill-1&head=head-1&pocket=2").text
    assert 'id="late"' not in other
    assert "Perhaps" not in other

    sheet = browser.get("/sheet?machine=mill-1&head=head-1").text
    assert sheet.count("broken, a person says of an earlier photograph") == 1
    assert sheet.count(" data-confirmable>") == 2
    said = {"machine": "mill-1", "head": "head-1", "shown": [f"{of.capture_id} intact" for of in shown]}
    assert "labelled=2&left_out=1" in browser.post("/sheet/confirm", said).headers["location"]

    why = browser.get(f"/review/item?capture={shown[2].capture_id}").json()["late"]
    assert why == "broken, by another photograph: a label here does not change that"
    for of_nothing in (earlier, shown[1]):
        assert browser.get(f"/review/item?capture={of_nothing.capture_id}").json()["late"] is None
