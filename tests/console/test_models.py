"""The models' pages in a real browser: what was measured, and a change of who judges with the keyboard alone."""

from selenium.webdriver.common.keys import Keys

from db.learning import model_registry
from tests.support import wait_until


def in_charge(plant) -> str:
    with plant.database.reading() as session:
        champion = model_registry.champion(session)
    assert champion is not None
    return champion.model_id


def press_until(page, selector: str) -> None:
    """Tab until something has the focus."""
    there = f"return document.activeElement.matches({selector!r})"
    for _ in range(80):
        if page.script(there):
            return
        page.press(Keys.TAB)
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_candidate_is_put_in_charge_with_the_keyboard_and_rolled_back(page, plant) -> None:
    plant.candidate()
    first = in_charge(plant)
    page.sign_in("mara", path="/models/candidate")
    press_until(page, 'details:has([action$="/promote"]) > summary')
    page.press(Keys.ENTER)
    press_until(page, '[action$="/promote"] [name=reason]')
    page.press("it finds more", Keys.ENTER)
    assert page.chromium.current_url.endswith("/models/candidate")  # the box says that it is meant
    assert in_charge(plant) == first
    press_until(page, '[action$="/promote"] [name=sure]')
    with page.another_page():
        page.press(Keys.SPACE, Keys.ENTER)
    assert page.chromium.current_url.endswith("/models")
    assert in_charge(plant) == "candidate"
    assert "it finds more" in page.text("#champion")
    page.click("#champion summary")
    page.click("#champion [name=reason]")
    page.find("#champion [name=reason]").send_keys("false alarms")
    page.click("#champion [name=sure]")
    assert page.heights("#champion form button")[0] >= 60  # for gloves
    page.follow("#champion form button")
    assert first in page.text("#champion")
    assert in_charge(plant) == first
    assert page.complaints() == []


def test_what_is_wrong_opens_in_review_and_the_curves_are_there(page, plant) -> None:
    plant.work_worn()
    plant.candidate()
    page.sign_in("ana", path="/models")
    page.follow('#enough a[href="/models/candidate"]')
    assert page.shows("#wrong img")
    drawn = page.heights("svg.chart[role=img]")
    assert len(drawn) == 3
    assert min(drawn) > 100
    assert not page.shows("form[action*='/models/']")
    wanted = page.of_all("#wrong a", "e.href")[0].partition("capture=")[2]
    page.follow("#wrong a")
    wait_until(lambda: page.shown_capture() == wanted, what="the photograph in review")
    assert page.complaints() == []
