"""A pocket's page in a real browser: one tap says that the insert was changed, another takes it back."""

from datetime import UTC, datetime

import uuid6

from db.line import insert_changes
from tests.support import wait_until

PLACE = ("mill-1", "H12", 1)


def changes(plant) -> list[str]:
    with plant.database.reading() as session:
        return [each.by for each in insert_changes.of_pocket(session, *PLACE)]


def test_one_tap_says_that_the_insert_was_changed(page, plant) -> None:
    page.sign_in("bert", path="/pocket?machine=mill-1&head=H12&pocket=1")
    assert page.heights("#change button")[0] >= 60  # for gloves
    page.follow("#change button")
    assert "Insert changed, says bert" in page.text(".changed")
    assert not page.shows("#change")
    assert changes(plant) == ["bert"]
    page.follow(".changed button")
    assert page.shows("#change")
    assert changes(plant) == []
    assert page.complaints() == []


def test_an_insert_from_before_is_ended_by_a_second_tap_alone(page, plant) -> None:
    now, photo = datetime.now(UTC), next((plant.folder / "images").rglob("*.jpg")).read_bytes()
    plant.judge(plant.capture(*PLACE, 1, "op-0002", uuid6.uuid7(), now, photo + b"."), -3.0, now)
    page.sign_in("bert", path="/pocket?machine=mill-1&head=H12&pocket=1")
    assert page.heights(".strip summary")[0] >= 60
    assert not page.shows(".strip form button")
    page.click(".strip summary")
    wait_until(lambda: page.shows(".strip form button"), what="the question")
    assert changes(plant) == []
    page.follow(".strip form button")
    assert changes(plant) == ["bert"]
    assert page.complaints() == []


def test_where_the_verdicts_came_from_is_over_the_photographs_when_a_person_asks(page) -> None:
    page.sign_in("ana", path="/pocket?machine=mill-1&head=H12&pocket=1")
    wait_until(lambda: page.shows("#evidence"), what="the button")

    def shows(kind: str, legend: bool) -> None:
        drawn = "e.complete && e.naturalWidth > 0 && new URL(e.src).pathname.split('/').pop()"
        wait_until(lambda: page.of_all(".strip img", drawn)[0] == kind, what=kind)
        assert page.shows("#legend") == legend

    shows("small", legend=False)
    page.press("e")
    shows("evidence", legend=True)
    assert page.of_all("#evidence", "e.ariaPressed") == ["true"]
    page.click("#evidence")
    shows("small", legend=False)
    page.script("localStorage.setItem('keys', 'off')")
    page.open("/pocket?machine=mill-1&head=H12&pocket=1")
    wait_until(lambda: page.shows("#evidence"), what="the button")
    page.press("e")
    page.script("localStorage.removeItem('keys')")
    shows("small", legend=False)
    assert page.complaints() == []
