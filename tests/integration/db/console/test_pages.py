"""Pocket, checks, search, replace and audit: what they show is what the commands say."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import uuid6

from db.console.pages.replace import HEADS_LOOKED_THROUGH
from db.line import incomplete_checks, restores, verdicts
from db.people import audit, audited_insert_changes
from tests.console_support import Browser, console_on
from tests.integration.db.conftest import T0
from worker.embedded.redis_server import free_port


def test_a_pocket_s_life_is_told_by_insert(line, signed_in) -> None:
    for minute, (outcome, operations) in enumerate([("intact", 1), ("damaged", 2), ("intact", 1)]):
        line.see(1, minute, outcome, operations_on_edge=operations, operation=f"op-{minute}")
    text = signed_in("viewer").get("/pocket?machine=mill-1&head=head-1&pocket=1").text
    now, before = text.split('<section class="life">')[1:]
    assert re.findall(r'<li class="(\w+)">', now) == ["intact"]
    assert re.findall(r'<li class="(\w+)">', before) == ["damaged", "intact"]
    assert "op-2" in now


def test_a_person_s_word_is_over_the_model_s(line, signed_in) -> None:
    line.say(line.see(1, 0, "intact"), "broken")
    text = signed_in("viewer").get("/pocket?machine=mill-1&head=head-1&pocket=1").text
    assert '<li class="damaged">' in text
    assert re.search(r"a person says <b>broken</b>,\s+the model\s+intact", text)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "probability of damage 0.4"),
        ("es", "probabilidad de daño: 0,4"),
        ("de", "Schaden zu 0,4"),
    ],
)
def test_a_percentage_beside_intact_says_what_is_so_probable(line, signed_in, language, words) -> None:
    capture = line.see(1, 0)
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, "intact", probability=0.004))
    browser = signed_in("reviewer")
    for page in ("/pocket?machine=mill-1&head=head-1&pocket=1", "/sheet?machine=mill-1&head=head-1"):
        assert words in browser.get(page, **{"Accept-Language": language}).text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "wear land 0.37 to 0.62 mm"),
        ("es", "desgaste de 0,37 a 0,62 mm"),
        ("de", "Verschleißmarke 0,37 bis 0,62 mm"),
    ],
)
def test_a_wear_land_is_told_in_millimetres(line, signed_in, language, words) -> None:
    capture = line.see(1, 0)
    wear = {"wear_mean": 18.4, "wear_p90": 25.0, "wear_max": 31.0, "wear_length": 500.0, "pixels_per_mm": 50.0}
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture.capture_id, "damaged", **wear))
    browser = signed_in("viewer")
    text = browser.get("/pocket?machine=mill-1&head=head-1&pocket=1", **{"Accept-Language": language}).text
    assert words in text
    [item] = browser.get("/api/v1/history?machine=mill-1&head=head-1&pocket=1").json()["items"]
    assert wear.items() <= item.items()


def test_older_photographs_are_a_link_away(line, signed_in) -> None:
    for minute in range(5):
        line.see(1, minute, "intact")
    text = signed_in("viewer").get("/pocket?machine=mill-1&head=head-1&pocket=1&limit=3").text
    assert text.count('<li class="intact">') == 3
    assert "and older ones" in text
    assert "limit=6" in text


@pytest.mark.parametrize(
    "query", ["machine=x&head=y&pocket=1", "machine=mill-1&head=head-1&pocket=0", "machine=mill-1"]
)
def test_a_pocket_that_is_not_there(signed_in, query) -> None:
    assert signed_in("viewer").get(f"/pocket?{query}").status_code in (400, 404)


def test_a_check_whose_events_contradict_each_other_says_why(line, signed_in) -> None:
    for pocket in (1, 3):
        line.see(pocket, outcome="intact")
    browser = signed_in("viewer")
    for page in ("/checks?state=review", "/"):
        assert "<small>contradiction: pocket 3 of a check of 2</small>" in browser.get(page).text
    [found] = browser.get("/api/v1/checks?state=review").json()["items"]
    assert (found["reason"], found["missing"]) == ("contradiction: pocket 3 of a check of 2", [2])


def test_checks_by_answer_and_place(line, signed_in) -> None:
    line.see(1, 0, "damaged", check_size=1)
    line.see(1, 1, "intact", check_size=1, check_id=uuid6.uuid7(), head="head-2")
    browser = signed_in("viewer")
    assert browser.get("/checks").text.count('<b class="state') == 2
    only = browser.get("/checks?state=replace").text
    assert only.count('<b class="state') == 1
    assert "head-1" in only
    assert "No check matches" in browser.get("/checks?head=head-2&state=replace").text
    assert browser.get("/checks?state=fine").status_code == 400
    assert browser.get("/checks?since=yesterday").status_code == 400


def test_replace_is_a_sheet_for_each_head(line, signed_in) -> None:
    for head in ("head-1", "head-2"):
        line.see(3, 0, "damaged", head=head, check_id=uuid6.uuid7())
        line.see(4, 0, "intact", head=head, check_id=uuid6.uuid7())
    text = signed_in("viewer").get("/replace").text
    assert text.count('class="sheet"') == 2
    assert re.findall(r'class="number"[^>]*>(\d+)<', text) == ["3", "3"]


def test_replace_names_the_pockets_of_which_nobody_knows(line, console, signed_in) -> None:
    now = datetime.now(UTC)

    def see(pocket: int, outcome: str, head: str, minutes: float = 1, size: int = 1, **how: object) -> None:
        moment = {"captured_at": now - timedelta(minutes=minutes), "check_size": size}
        line.see(pocket, 0, outcome, head=head, **moment, **{"check_id": uuid6.uuid7(), **how})

    of_one, of_two = uuid6.uuid7(), uuid6.uuid7()
    for pocket, outcome in ((1, "damaged"), (2, "unsure"), (3, "intact")):
        see(pocket, outcome, "head-1", size=4, check_id=of_one)
    see(1, "intact", "head-2", size=2, check_id=of_two)
    with line.database.transaction() as session:
        given_up = incomplete_checks.awaited(session)
        incomplete_checks.give_up(session, {of_one: given_up[of_one]})
    see(1, "intact", "head-3")
    see(2, "intact", "head-3", minutes=90)
    see(1, "intact", "head-4")
    text = re.sub(r"<[^>]+>", "", signed_in("viewer").get("/replace").text)
    said = re.sub(r"\s+", " ", text)
    assert "Not known, to be looked at: unsure: 2; missing: 4" in said
    assert "mill-1 · head-2 pending: 2" in said
    assert "mill-1 · head-3 photographed long ago: 2" in said
    assert "head-4" not in said


def test_replace_looks_for_what_nobody_knows_in_the_newest_heads_and_those_with_an_insert_to_change(
    line, signed_in
) -> None:
    for number in range(HEADS_LOOKED_THROUGH + 2):
        line.check_id = uuid6.uuid7()
        line.see(1, number, "damaged" if number == 0 else "intact", head=f"H{number}")
        line.see(2, number, "unsure", head=f"H{number}")
    browser = signed_in("viewer")
    said = browser.get("/replace").text
    seen = {number for number in range(HEADS_LOOKED_THROUGH + 2) if f"head=H{number}&amp;pocket=2" in said}
    assert seen == {0, *range(3, HEADS_LOOKED_THROUGH + 2)}
    assert f"looked for in {HEADS_LOOKED_THROUGH} heads" in said
    said = browser.get("/replace?head=H1").text
    assert "head=H1&amp;pocket=2" in said
    assert "looked for in" not in said


@pytest.mark.parametrize(
    ("page", "unknown"),
    [
        ("/replace?machine=mil-1", "machine mil-1"),
        ("/checks?head=haed-1&state=replace", "head haed-1"),
        ("/search?outcome=damaged&machine=mill-1&head=head-2", "machine mill-1, head head-2"),
        ("/search.csv?machine=mil-1", "machine mil-1"),
        ("/faults?station=st-9", "station st-9"),
    ],
)
def test_nothing_found_where_a_name_is_mistyped_is_no_good_news(line, signed_in, page, unknown) -> None:
    line.see(1, 0, "intact")
    browser = signed_in("viewer")
    empty = browser.get("/replace?machine=mill-1").text
    assert "No insert is known to be damaged" in empty
    assert re.search(r'<span id="as-of">as of .*\d:\d\d', empty), "an empty list is what people take for a go"
    answer = browser.get(page)
    assert answer.status_code == 404
    assert f"nothing is known of {unknown}" in answer.text
    german = browser.get(page, **{"Accept-Language": "de"})
    assert "ist nichts bekannt" in german.text


def test_a_date_may_be_written_as_its_reader_does_and_the_address_is_the_same_for_all(line, signed_in) -> None:
    line.see(1, 0, "damaged")
    line.see(2, 0, "damaged", captured_at=T0 - timedelta(days=1), check_id=uuid6.uuid7())
    browser = signed_in("viewer")
    german = {"Accept-Language": "de"}
    for path in ("/search?machine=mill-1&since=22.11.2026", "/checks?since=22.11.2026", "/handover?since=22.11.26"):
        sent = browser.get(path, **german)
        assert (sent.status_code, sent.headers["location"]) == (303, path.split("22.")[0] + "2026-11-22")
        text = browser.get(sent.headers["location"], **german).text
        assert re.search(r"pocket=1\b", text) or path.startswith("/checks")
        assert not re.search(r"pocket=2\b", text) or path.startswith("/handover")
        assert re.search(r'placeholder="[^"]*\d\d\.\d\d\.\d\d"', text), "the field says so"
    assert browser.get("/search?since=22.11.2026").status_code == 400, "nobody writes so in English"


def test_search_by_each_filter_and_the_address_keeps_them(line, signed_in) -> None:
    line.see(1, 0, "damaged", operation="op & 1")
    line.see(2, 10, "intact")
    browser = signed_in("reviewer")
    for query in (
        "outcome=damaged",
        "pocket=1",
        "operation=op+%26+1",
        f"until={(T0 + timedelta(minutes=5)).isoformat().replace('+', '%2B')}",
    ):
        text = browser.get(f"/search?{query}").text
        assert text.count('alt="Review it"') == 1, query
        assert "op &amp; 1" in text
    assert 'href="/search.csv?operation=op+%26+1"' in browser.get("/search?operation=op+%26+1").text
    assert "No verdict matches" in browser.get("/search?machine=mill-1&pocket=2&outcome=damaged").text
    columns = re.findall("<th>(.*?)</th>", browser.get("/search").text)
    assert columns[:3] == ["Photograph", "Outcome", "Probability of damage"], "what a phone shows of them"


@pytest.mark.parametrize("query", ["outcome=fine", "pocket=one", "pocket=²", "since=soon", "limit=100000"])
def test_a_filter_that_is_none_is_refused(signed_in, query) -> None:
    assert signed_in("viewer").get(f"/search?{query}").status_code == 400


def test_the_csv_is_that_of_the_command_and_in_the_audit(line, console, signed_in) -> None:
    line.see(1, 0, "damaged")
    line.see(2, 1, "intact")
    answer = signed_in("viewer").get("/search.csv?outcome=damaged")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["pocket"], row["outcome"]) == ("1", "damaged")
    with console.database.reading() as session:
        newest = audit.recent(session)[0]
    assert (newest.action, newest.subject, newest.detail) == ("exported", "outcome=damaged", {"rows": 1})


def test_the_audit_says_who_did_what(signed_in) -> None:
    signed_in("viewer")
    text = signed_in("administrator").get("/audit").text
    assert re.search(r"<td>the viewer</td><td>signed in</td>", text)
    assert "the viewer" not in signed_in("administrator").get("/audit?by=nobody").text.split("<main")[1]


def test_the_audit_is_asked_by_what_was_done_in_an_address_that_can_be_sent(line, signed_in) -> None:
    with line.database.transaction() as session:
        for number in range(1, 103):
            audit.write(session, at=T0, by="ana", action="fault seen", subject=f"fault {number}")
            audit.write(session, at=T0, by="ana" if number < 3 else "bert", action="exported", subject=f"all {number}")
    browser = signed_in("administrator")
    first = browser.get("/audit?action=fault+seen").text
    assert re.findall(r"<td>(fault \d+|all \d+)</td>", first) == [f"fault {number}" for number in range(102, 2, -1)]
    assert '<option value="fault seen" selected>' in first
    (older,) = re.findall(r'class="button" href="(/audit[^"]*)"', first)
    assert older.startswith("/audit?action=fault+seen&amp;before=")
    assert re.findall(r"<td>(fault \d+)</td>", browser.get(older.replace("&amp;", "&")).text) == ["fault 2", "fault 1"]
    of_both = browser.get("/audit?by=ana&action=exported").text
    assert re.findall(r"<td>(fault \d+|all \d+)</td>", of_both) == ["all 2", "all 1"]
    refused = browser.get("/audit?action=nothing")
    assert (refused.status_code, "nothing that the audit has" in refused.text) == (400, True)


def test_the_audit_has_moments_and_places_of_the_reader(line, signed_in) -> None:
    capture = line.see(7, 0, "unsure", head="Fräskopf 3")
    with line.database.transaction() as session:
        audit.write(session, at=T0, by="ana", action="reviewed", subject=str(capture.capture_id), label="worn")
        audit.write(session, at=T0, by="ana", action="reviewed", subject=str(UUID(int=7)), label="worn")  # pruned since
        audited_insert_changes.record(session, "mill-1", "Fräskopf 3", 7, by="ana", at=T0, first=capture.capture_id)
        restores.record(session, at=T0, file="inserts.dump", made_at="2026-11-22T08:00:00.000Z")
    text = signed_in("administrator").get("/audit", **{"Accept-Language": "de"}).text
    place = '<a href="/pocket?machine=mill-1&amp;head=Fr%C3%A4skopf%203&amp;pocket=7">mill-1 · Fräskopf 3 · 7</a>'
    assert re.findall(r"<td>beurteilt</td><td>(.*?)</td>", text) == [str(UUID(int=7)), place]
    details = re.findall(r"<td>(?:Wendeschneidplatte gewechselt|Sicherung .*?)</td><td>.*?</td><td>(.*?)</td>", text)
    assert len(details) == 2
    for detail in details:
        assert re.search(r"22\.11\.2026, \d\d:\d\d:\d\d$", detail), detail


def test_search_says_what_a_person_said_since(line, signed_in) -> None:
    overruled = line.see(1, 0, "unsure")
    line.see(2, 1, "unsure")
    line.say(overruled, "broken")
    line.say(overruled, "intact")
    text = signed_in("viewer").get("/search?outcome=unsure").text
    said = [re.findall(r"a person says <b>(\w+)</b>", row) for row in text.split("<tr>")[2:]]
    assert said == [[], ["intact"]]


def test_health_asks_the_database(console) -> None:
    from tests.console_support import Browser

    assert Browser(console).get("/health").text == "ok\n"


def test_where_the_database_is_away_each_page_says_so_in_the_reader_s_language(tmp_path, caplog) -> None:
    console = console_on(f"postgresql://inserts@127.0.0.1:{free_port()}/inserts", tmp_path)
    browser = Browser(console)
    browser.client.cookies.set("inserts", "a session of before")
    for path in ("/", "/review", "/events", "/api/v1/checks"):
        caplog.clear()
        answer = browser.get(path, **{"Accept-Language": "de"})
        assert answer.status_code == 503, path
        # Anybody may ask: where the database is and who it knows stands in the log.
        assert "127.0.0.1" not in answer.text
        assert "127.0.0.1" in caplog.text
        assert answer.headers["Retry-After"] == "5"
    assert "Die Datenbank antwortet nicht" in browser.get("/", **{"Accept-Language": "de"}).text
    assert browser.get("/login").status_code == 200
    console.database.close()


def test_a_pocket_that_was_never_photographed_has_a_page(line, signed_in) -> None:
    line.see(1, 0, "intact", machine="Fr\u00e4se", check_size=2)
    browser = signed_in("reviewer")
    text = browser.get("/pocket?machine=Fra%CC%88se&head=head-1&pocket=2").text  # as a Mac pastes it
    assert "This pocket was never photographed." in text
    assert 'id="change"' not in text
    assert 'class="life"' in browser.get("/pocket?machine=Fra%CC%88se&head=head-1&pocket=1").text
    assert browser.get("/pocket?machine=Fr%C3%A4se&head=head-1&pocket=3").status_code == 404
    assert browser.get("/pocket?machine=nobody&head=head-1&pocket=2").status_code == 404
