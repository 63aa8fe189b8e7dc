"""A pocket's page in a real browser: one tap says that the insert was changed, another takes it back."""

from db.line import insert_changes
from tests.support import wait_until

PLACE = ("mill-1", "H12", 1)


def changes(plant) -> list[str]:
    with plant.database.reading() as session:
        return [each.by for each in insert_changes.of_pocket(session, *PLACE)]


def test_one_tap_says_that_the_insert_was_changed(page, plant) -> None:
    page.sign_in("bert")
    page.open("/pocket?machine=mill-1&head=H12&pocket=1")
    assert page.find("#change button").size["height"] >= 60  # for gloves
    page.find("#change button").click()
    wait_until(lambda: page.shows(".changed"), what="the change")
    assert "Insert changed, says bert" in page.text(".changed")
    assert not page.shows("#change")
    assert changes(plant) == ["bert"]
    page.find(".changed button").click()
    wait_until(lambda: page.shows("#change"), what="the button")
    assert changes(plant) == []
    assert page.complaints() == []


def test_where_the_verdicts_came_from_is_over_the_photographs_when_a_person_asks(page) -> None:
    page.sign_in("ana")
    page.open("/pocket?machine=mill-1&head=H12&pocket=1")
    wait_until(lambda: page.shows("#evidence"), what="the button")

    def shown() -> tuple[str, bool]:
        wait_until(lambda: page.script("return document.querySelector('.strip img').complete"), what="the photograph")
        drawn = page.script("return document.querySelector('.strip img').naturalWidth > 0")
        assert drawn
        return page.script("return new URL(document.querySelector('.strip img').src).pathname").rpartition("/")[2], (
            page.shows("#legend")
        )

    assert shown() == ("small", False)
    page.press("e")
    assert shown() == ("evidence", True)
    assert page.find("#evidence").get_attribute("aria-pressed") == "true"
    page.find("#evidence").click()
    assert shown() == ("small", False)
    page.script("localStorage.setItem('keys', 'off')")
    page.open("/pocket?machine=mill-1&head=H12&pocket=1")
    wait_until(lambda: page.shows("#evidence"), what="the button")
    page.press("e")
    page.script("localStorage.removeItem('keys')")
    assert shown() == ("small", False)
    assert page.complaints() == []
