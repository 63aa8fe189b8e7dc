"""The contact sheet in a real browser: what was not on the screen is not labelled."""

from datetime import UTC, datetime

import uuid6
from selenium.webdriver.common.by import By

from db.learning import reviews
from tests.support import wait_until


def kept(plant) -> list[tuple[str, str]]:
    with plant.database.reading() as session:
        return [(str(each.capture_id), each.provenance) for each in reviews.recent(session, limit=100)]


def test_only_thumbnails_that_were_shown_are_labelled(page, plant) -> None:
    photo = next((plant.folder / "images").rglob("*.jpg")).read_bytes()
    check, now = uuid6.uuid7(), datetime.now(UTC)
    for pocket in range(1, 49):
        plant.judge(plant.capture("mill-8", "H8", pocket, 48, "op-0001", check, now, photo), -3.0, now)
    page.sign_in("ana")
    page.open("/sheet?machine=mill-8&head=H8")
    wait_until(lambda: int(page.text("#count")) > 4, what="what is on the screen")
    everything = len(page.chromium.find_elements(By.CSS_SELECTOR, "[data-confirmable]"))
    seen = page.chromium.find_elements(By.CSS_SELECTOR, "[data-confirmable].seen")
    assert 0 < len(seen) < everything
    seen[0].find_element(By.TAG_NAME, "label").click()  # not this one
    chosen = {
        box.get_attribute("value").split()[0]
        for box in page.chromium.find_elements(By.CSS_SELECTOR, "input[name=shown]:checked")
    }
    assert len(chosen) == len(seen) - 1
    assert page.find("#confirm").size["height"] >= 60
    page.find("#confirm").click()
    wait_until(lambda: page.shows("#done"))
    assert dict(kept(plant)) == dict.fromkeys(chosen, "bulk")
    page.script("window.scrollTo(0, document.body.scrollHeight)")
    wait_until(lambda: page.shows("li:last-child.seen") or page.shows(".thumbs li:nth-last-child(2).seen"))
    assert page.complaints() == []
