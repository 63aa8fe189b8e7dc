"""The button "insert changed" on a pocket's page, and the same by the API."""

import re
from datetime import UTC, datetime

import pytest

from db.learning import remaining_lives
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line import insert_changes
from db.line.insert_histories import SuspectedChange
from db.people import audit
from tests.console_support import Program, token_of

PLACE = {"machine": "mill-1", "head": "head-1", "pocket": 1}
PAGE = "/pocket?machine=mill-1&head=head-1&pocket=1"


def changes(line) -> list[str]:
    with line.database.reading() as session:
        return [each.by for each in insert_changes.of_pocket(session, *PLACE.values())]


def written(line) -> list[tuple[str, str, str]]:
    with line.database.reading() as session:
        return [(row.by, row.action, row.subject) for row in audit.recent(session) if "insert" in row.action][::-1]


def test_a_press_ends_the_life_and_can_be_taken_back(line, signed_in) -> None:
    line.see(1, 0, "damaged")
    browser = signed_in("reviewer")
    assert "The insert that is in it now" in browser.get(PAGE).text
    assert "/pocket/changed" in browser.get(PAGE).text
    answer = browser.post("/pocket/changed", PLACE)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    text = browser.get(PAGE).text
    assert "Insert changed, says the reviewer" in text
    assert "An insert before" in text
    assert "The insert that is in it now" not in text
    assert 'id="change"' not in text
    assert browser.post("/pocket/changed", PLACE).status_code == 303  # of a page that was open twice
    assert changes(line) == ["the reviewer"]
    number = re.findall(r'name="change" value="(\d+)"', text)[0]
    assert browser.post("/pocket/changed/withdraw", {"change": number}).status_code == 303
    assert browser.post("/pocket/changed/withdraw", {"change": number}).status_code == 404
    assert changes(line) == []
    place = "mill-1 · head-1 · 1"
    assert written(line) == [
        ("the reviewer", "insert changed", place),
        ("the reviewer", "insert change withdrawn", place),
    ]


def test_damage_that_came_after_a_change_and_lies_before_it_can_be_changed_too(line, signed_in) -> None:
    """By a station whose clock is behind."""
    line.see(1, 0, "damaged")
    browser = signed_in("reviewer")
    browser.post("/pocket/changed", PLACE)
    assert 'id="change"' not in browser.get(PAGE).text
    seen = line.see(1, 5, "damaged")
    text = browser.get(PAGE).text
    assert 'id="change"' in text
    assert "Insert changed, says the reviewer" in text
    browser.post("/pocket/changed", {**PLACE, "seen": str(seen.capture_id)})
    assert 'id="change"' not in browser.get(PAGE).text
    assert changes(line) == ["the reviewer"] * 2


def test_a_photograph_that_nobody_saw_is_not_taken_away(line, console, signed_in) -> None:
    seen = line.see(1, 0, "damaged")
    browser = signed_in("reviewer")
    assert f'name="seen" value="{seen.capture_id}"' in browser.get(PAGE).text
    newest = line.see(1, 5, "damaged")
    form = {**PLACE, "seen": str(seen.capture_id)}
    answer = browser.post("/pocket/changed", form)
    assert (answer.status_code, changes(line), written(line)) == (303, [], [])
    text = browser.get(answer.headers["location"]).text
    assert "A newer photograph had come: nothing was changed" in text
    assert f'name="seen" value="{newest.capture_id}"' in text
    program = Program(console, token_of(console, "the reviewer"))
    assert program.post("insert-changes", form).status_code == 409
    assert program.post("insert-changes", {**PLACE, "seen": str(newest.capture_id)}).status_code == 201


def test_the_strip_shows_each_life_apart(line, signed_in) -> None:
    photographs = [line.see(1, minute, "intact") for minute in (0, 10, 20)]
    browser = signed_in("maintainer")
    assert browser.get(PAGE).text.count('class="life"') == 1
    browser.post("/pocket/changed", {**PLACE, "first": str(photographs[1].capture_id)})
    text = browser.get(PAGE).text
    assert text.count('class="life"') == 2
    assert text.count("Insert changed, says the maintainer") == 1
    assert [text.count(f'name="first" value="{each.capture_id}"') for each in photographs] == [0, 0, 1]
    # Its page may be cut anywhere.
    assert browser.get(f"{PAGE}&limit=1").text.count("Insert changed, says") == 0
    assert browser.get(f"{PAGE}&limit=2").text.count('class="life"') == 1


@pytest.mark.parametrize(
    ("form", "status"),
    [({**PLACE, "pocket": 9}, 404), ({**PLACE, "pocket": 0}, 400), ({**PLACE, "first": "x"}, 400), ({}, 400)],
)
def test_what_is_no_pocket_is_not_changed(line, signed_in, form, status) -> None:
    line.see(1, 0)
    assert signed_in("reviewer").post("/pocket/changed", form).status_code == status
    assert changes(line) == []


def test_a_viewer_sees_it_and_says_nothing(line, signed_in) -> None:
    line.see(1, 0)
    signed_in("reviewer").post("/pocket/changed", PLACE)
    viewer = signed_in("viewer")
    assert "Insert changed, says the reviewer" in viewer.get(PAGE).text
    assert "/pocket/changed" not in viewer.get(PAGE).text
    assert viewer.post("/pocket/changed", PLACE).status_code == 403


def test_a_program_says_it_and_the_audit_names_its_token(line, console) -> None:
    photographs = [line.see(1, minute, "intact") for minute in (0, 10)]
    program = Program(console, token_of(console, "the reviewer"))
    answer = program.post("insert-changes", {**PLACE, "first": str(photographs[1].capture_id)})
    assert (answer.status_code, answer.json()["by"]) == (201, "the reviewer")
    assert program.post("insert-changes", {**PLACE, "first": str(photographs[1].capture_id)}).json() == answer.json()
    rows = program.get("history", **PLACE).json()["items"]
    assert [row["insert_changed_at"] for row in rows] == [answer.json()["at"], None]
    assert program.post("insert-changes", {**PLACE, "pocket": 2}).status_code == 404
    assert program.post("insert-changes", {**PLACE, "at": "now"}).status_code == 400
    assert program.post("insert-changes", {**PLACE, "pocket": True}).status_code == 400  # not pocket 1
    viewer = Program(console, token_of(console, "the viewer"))
    assert viewer.post("insert-changes", PLACE).status_code == 403
    with line.database.reading() as session:
        (row,) = (row for row in audit.recent(session) if row.action == "insert changed")
    assert row.detail["token"] == "a program"


def test_a_program_takes_back_what_was_said(line, console) -> None:
    line.see(1, 0, "damaged")
    program = Program(console, token_of(console, "the reviewer"))
    said = program.post("insert-changes", PLACE).json()
    assert program.get("insert-changes", **PLACE).json() == [said]
    assert Program(console, token_of(console, "the viewer")).delete(f"insert-changes/{said['id']}").status_code == 403
    answer = program.delete(f"insert-changes/{said['id']}")
    assert (answer.status_code, answer.json()) == (200, said)
    assert program.delete(f"insert-changes/{said['id']}").status_code == 404
    assert changes(line) == []
    with line.database.reading() as session:
        row = audit.recent(session, limit=1)[0]
    assert (row.action, row.detail["token"]) == ("insert change withdrawn", "a program")


def test_until_it_is_looked_at_it_looks_like_nothing_else(line, signed_in) -> None:
    now = datetime.now(UTC)
    for pocket in (1, 2):
        line.see(pocket, outcome="damaged", captured_at=now)
    browser = signed_in("reviewer")
    browser.post("/pocket/changed", PLACE)
    text = browser.get("/").text
    assert re.search(r'class="pocket new">\s*<title>1: new, not looked at yet', text)
    assert '<b>REPLACE</b> <span class="numbers">2</span>' in text
    assert "new insert, not looked at yet: 1<" in text
    sheet = browser.get("/replace").text
    assert re.findall(r'class="number" href="[^"]*pocket=(\d)"', sheet) == ["2"]
    assert "the reviewer" in sheet.partition("new insert, not looked at yet:")[2]
    browser.post("/pocket/changed", {**PLACE, "pocket": 2})
    text = browser.get("/").text
    assert 'class="card new"' in text
    assert '<b>NEW</b> <span class="numbers">1, 2</span>' in text
    assert "No insert is known to be damaged" not in browser.get("/replace").text


def test_the_page_says_how_long_the_insert_lasts_and_asks_about_a_change_that_nobody_told_of(
    line, signed_in, start
) -> None:
    captures = [line.see(1, minute, "intact") for minute in range(3)]
    curve = SurvivalCurve(tuple(number + 0.5 for number in range(15)))
    silent = LifeFit(start, followed=20, ended=7, needed=10)
    spoken = LifeFit(start, followed=20, ended=12, needed=10, new=curve, gap=0.1)
    place = ("mill-1", "head-1", 1)
    life = RemainingLife(*place, age=3, lives=9, as_of=captures[-1].captured_at, curve=curve, new=curve)
    question = SuspectedChange(*place, captures[1].capture_id, start, captures[1].captured_at, damaged=2, intact=3)
    browser = signed_in("reviewer")

    def page_after(fit: LifeFit, *kept: list) -> str:
        with line.database.transaction() as session:
            remaining_lives.store(session, fit, *kept)
        return browser.get(PAGE).text

    assert "once 3 more lives have ended" in page_after(silent, [], [])
    text = page_after(spoken, [life], [question])
    assert "Lasts 8 (3 … 12) operations, 80 %, 9 lives behind it" in text
    assert "Was the insert changed?" in text
    assert 'id="suspected"' in browser.get("/handover").text
    assert browser.post("/pocket/changed", {**PLACE, "first": str(captures[1].capture_id)}).status_code == 303
    for page in (PAGE, "/handover"):
        assert 'id="suspected"' not in browser.get(page).text
