"""Labels that cannot be saved at once, in a real browser: whoever's they are, whatever answers, each is kept once."""

import json

from selenium.webdriver.common.keys import Keys
from sqlalchemy import delete, update

from db.people import audit
from db.schema.tables import Accounts, Sessions
from tests.console.test_review import UNSAVED, all_saved, begin, kept, ready, shows
from tests.support import wait_until


def test_a_console_that_hangs_is_said_and_keeps_the_label_once(page, plant) -> None:
    first = begin(page)
    page.server.pause()
    page.press("2")
    wait_until(lambda: "Not saved" in page.text("#failed:not([hidden])"), what="the complaint")
    page.server.resume()
    wait_until(lambda: not page.shows("#failed"), what="the return")
    all_saved(page)
    ready(page, first)
    assert kept(plant) == [(first, "worn", "ana")]
    with plant.database.reading() as session:
        assert [entry.subject for entry in audit.recent(session) if entry.action == "reviewed"] == [first]


def test_what_a_proxy_says_of_a_console_that_is_gone_drops_no_label(page, plant) -> None:
    first = begin(page)
    with page.server.replaced_by_proxy(404):
        page.press("2")
        wait_until(lambda: "Not saved" in page.text("#failed:not([hidden])"), what="the complaint")
    wait_until(lambda: not page.shows("#failed"), what="the return")
    assert not page.shows("#refused")
    assert kept(plant) == [(first, "worn", "ana")]


def test_a_reviewer_who_may_no_longer_review_is_told_so(page, plant) -> None:
    first = begin(page)
    become(plant, "viewer")
    page.press("3")
    wait_until(lambda: "may not review" in page.text("#failed:not([hidden])"), what="the reason")
    become(plant, "reviewer")
    wait_until(lambda: not page.shows("#failed"), what="the return")
    assert kept(plant) == [(first, "broken", "ana")]


def become(plant, role: str) -> None:
    with plant.database.transaction() as session:
        session.execute(update(Accounts).where(Accounts.name == "ana").values(role=role))


def test_labels_of_one_person_wait_are_told_on_every_page_and_hold_up_no_other(page, plant) -> None:
    first = begin(page)
    with plant.database.transaction() as session:
        session.execute(delete(Sessions))
    page.press("3")
    wait_until(lambda: page.shows("#failed a"), what="the way to the login")
    page.open("/login")
    wait_until(lambda: "ana (1)" in page.text("#unsaved"), what="whose label is not saved")
    reviewing = page.chromium.current_window_handle
    page.chromium.switch_to.new_window("tab")
    page.sign_in("bert", path="/replace")
    wait_until(lambda: "ana (1)" in page.text("#unsaved"), what="the same in another tab")
    page.follow("#unsaved a")
    second = ready(page)
    wait_until(lambda: "ana (1)" in page.text("#unsaved"), what="the same in Review")
    assert not page.shows("#failed")
    page.press("1")
    wait_until(lambda: kept(plant) == [(second, "intact", "bert")], what="the other's label")
    all_saved_but_one(page)
    page.chromium.close()  # the tab in which it was said is another one
    page.chromium.switch_to.window(reviewing)
    page.sign_in("ana", path="/review")
    wait_until(lambda: kept(plant)[1:] == [(first, "broken", "ana")], what="what waited")
    all_saved(page)
    assert not page.shows("#unsaved")


def all_saved_but_one(page) -> None:
    wait_until(lambda: page.script(UNSAVED) == 1, what="the answer")


AT_HAND = """return performance.getEntriesByType("resource").map(e => e.name.match(/photographs[/](.*)[/]large/)?.[1])
  .filter(id => id)"""


def test_a_doubled_tab_has_other_photographs_and_saves_nothing_once_more(page, plant) -> None:
    first = begin(page)
    page.server.pause()
    page.press("2")
    wait_until(lambda: "Not saved" in page.text("#failed:not([hidden])"), what="the complaint")
    page.server.resume()
    wait_until(lambda: not page.shows("#failed"), what="the return")
    ready(page, first)
    page.press(Keys.BACKSPACE)
    shows(page, first)
    page.press("3")  # another thought
    shown = ready(page, first)
    all_saved(page)
    wait_until(lambda: len(page.script(AT_HAND)) >= 5, what="the next ones")
    mine, tab = set(page.script(AT_HAND)), page.chromium.current_window_handle
    before = {"capture": first, "label": "worn", "by": "ana", "place": "", "seen": 0}
    page.script("localStorage.setItem('unsaved 1 tab', arguments[0])", json.dumps(before))  # as the copy has it
    page.script("window.open('/review')")  # the new tab gets a copy of what this one keeps
    try:
        page.chromium.switch_to.window(page.chromium.window_handles[-1])
        page.complete("location.protocol !== 'about:'")
        theirs = ready(page)
        all_saved(page)
        assert kept(plant) == [(first, "worn", "ana"), (first, "broken", "ana")]
        assert theirs not in mine
        page.open("/review")
        assert ready(page) == theirs, "what is this tab's stays so"
    finally:
        page.chromium.close()
        page.chromium.switch_to.window(tab)
    assert ready(page) == shown
