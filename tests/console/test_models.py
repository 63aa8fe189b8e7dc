"""The models' pages in a real browser: what was measured, and a change of who judges with the keyboard alone."""

from selenium.webdriver.common.by import By
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
    page.press(Keys.SPACE, Keys.ENTER)
    wait_until(lambda: page.chromium.current_url.endswith("/models"), what="the change")
    assert in_charge(plant) == "candidate"
    assert "it finds more" in page.text("#champion")
    page.find("#champion summary").click()
    page.find("#champion [name=reason]").send_keys("false alarms")
    page.find("#champion [name=sure]").click()
    assert page.find("#champion form button").size["height"] >= 60  # for gloves
    page.find("#champion form button").click()
    wait_until(lambda: first in page.text("#champion"), what="the champion before")
    assert in_charge(plant) == first
    assert page.complaints() == []


def test_what_is_wrong_opens_in_review_and_the_curves_are_there(page, plant) -> None:
    plant.work_worn()
    plant.candidate()
    page.sign_in("ana", path="/models")
    page.find('#enough a[href="/models/candidate"]').click()
    wait_until(lambda: page.shows("#wrong img"), what="the model's page")
    drawn = page.chromium.find_elements(By.CSS_SELECTOR, "svg.chart[role=img]")
    assert len(drawn) == 3
    assert all(each.size["height"] > 100 for each in drawn)
    assert not page.shows("form[action*='/models/']")
    link = page.find("#wrong a")
    wanted = link.get_attribute("href").partition("capture=")[2]
    link.click()
    wait_until(lambda: page.shown_capture() == wanted, what="the photograph in review")
    assert page.complaints() == []
