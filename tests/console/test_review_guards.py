"""What guards a reviewer in a real browser: nothing is labelled that was not looked at, whatever keys and others do."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from sqlalchemy import select, update

from db.learning import reviews
from db.schema.tables import Captures, Leases
from tests.console.test_contact_sheet import see_head
from tests.console.test_review import (
    all_saved,
    begin,
    begin_at_a_pocket_that_was_photographed_before,
    kept,
    ready,
    seen_for_a_moment,
)
from tests.support import wait_until

BOUNCING = """const done = arguments[arguments.length - 1];
const press = () => dispatchEvent(new KeyboardEvent("keydown", { key: "1", code: "Digit1" }));
press(); setTimeout(() => { press(); done(); }, 60);"""


def test_a_key_that_bounces_labels_one_photograph(page, plant) -> None:
    first = begin(page)
    at_hand = "return performance.getEntriesByType('resource').filter(e => e.name.includes('/large')).length >= 4"
    wait_until(lambda: page.script(at_hand), what="the next ones")
    page.chromium.execute_async_script(BOUNCING)
    second = ready(page, first)
    all_saved(page)
    assert kept(plant) == [(first, "intact", "ana")]
    page.press("1")
    ready(page, second)
    all_saved(page)
    assert len(kept(plant)) == 2


def test_a_photograph_that_is_somebody_else_s_by_now_goes_with_a_word(page, plant) -> None:
    first = begin(page)
    with plant.database.transaction() as session:
        taken = update(Leases).where(Leases.name == f"review {first}")
        session.execute(taken.values(holder="bert", until=datetime.now(UTC) + timedelta(minutes=1)))
    page.script("document.dispatchEvent(new Event('visibilitychange'))")
    second = ready(page, first)
    assert "somebody else" in page.text("#taken")
    page.press("1")
    ready(page, second)
    assert not page.shows("#taken")
    all_saved(page)
    assert kept(plant) == [(second, "intact", "ana")]


def test_a_page_of_before_an_upgrade_says_so_and_saves(page, plant) -> None:
    first = begin(page)
    page.script("document.querySelector('meta[name=edition]').content = 'before'")
    assert not page.shows("#upgraded")
    page.press("1")
    ready(page, first)
    all_saved(page)
    assert kept(plant) == [(first, "intact", "ana")]
    wait_until(lambda: page.shows("#upgraded"), what="the word")


def test_a_label_that_is_refused_after_a_step_back_is_not_shown_as_kept(page, plant) -> None:
    first = begin(page)
    with plant.database.transaction() as session:
        reviews.add(session, capture_id=UUID(first), label="worn", by="bert", at=datetime.now(UTC))
    page.server.pause()
    try:
        page.press("1")
        ready(page, first)
        page.press(Keys.BACKSPACE)
        wait_until(lambda: page.shown_capture() == first and page.shows("#said"), what="what was said")
    finally:
        page.server.resume()
    wait_until(lambda: page.shows("#refused"), what="what is not kept")
    ready(page, first)
    assert not page.shows("#said")
    all_saved(page)
    assert [label for _, label, _ in kept(plant)] == ["worn"]


def test_photographs_are_known_where_the_browser_keeps_nothing(page, plant) -> None:
    page.chromium.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    try:
        see_head(plant, "H8", 4)
        first = begin(page)
        assert page.of_all("[data-label]", "e.disabled") == [False] * 5
        page.press("1")
        ready(page, first)
        all_saved(page)
        assert kept(plant) == [(first, "intact", "ana")]
        page.open("/sheet?machine=mill-8&head=H8")
        wait_until(lambda: page.text("#count") == "4", what="the thumbnails to be seen")
    finally:
        page.chromium.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": False})


def test_space_after_a_tap_shows_the_photograph_before_and_labels_nothing(page, plant) -> None:
    first = begin(page)
    page.click('[data-label="intact"]')
    ready(page, first)
    all_saved(page)
    assert page.script("return document.activeElement === document.body")
    ActionChains(page.chromium).key_down(" ").pause(0.4).key_up(" ").perform()
    all_saved(page)
    assert kept(plant) == [(first, "intact", "ana")]


def test_what_was_seen_before_the_photograph_before_is_seen_anew_after_it(page, plant) -> None:
    newest = begin_at_a_pocket_that_was_photographed_before(page, plant)
    space = ActionChains(page.chromium).key_down(" ")
    space.perform()
    wait_until(lambda: page.shows("#flag"), what="the photograph before")
    page.chromium.execute_script(RELEASED)  # at once: no driver is in between
    ActionChains(page.chromium).key_up(" ").perform()
    assert page.script("return document.getElementById('image').dataset.id") == newest
    seen_for_a_moment(page)
    page.press("1")
    ready(page, newest)
    all_saved(page)
    assert kept(plant) == [(newest, "intact", "ana")]


RELEASED = """dispatchEvent(new KeyboardEvent("keyup", { key: " ", code: "Space" }));
dispatchEvent(new KeyboardEvent("keydown", { key: "2", code: "Digit2" }));"""

HELD = """const decode = HTMLImageElement.prototype.decode, held = new Promise((come) => { window.come = come; });
HTMLImageElement.prototype.decode = function () {
  const asked = new URLSearchParams(location.search).get("capture");
  return (this.src.includes(asked) ? held : Promise.resolve()).then(() => decode.call(this));
};"""
"""The photograph that is asked for comes when it is told to."""


def test_a_photograph_that_comes_while_the_one_before_is_shown_can_be_labelled(page, plant) -> None:
    newest = begin_at_a_pocket_that_was_photographed_before(page, plant)
    added = page.chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HELD})
    try:
        page.open(f"/review?capture={newest}")
        wait_until(lambda: page.shows("#desk"))
        ActionChains(page.chromium).key_down(" ").perform()
        wait_until(lambda: page.shows("#flag"), what="the photograph before")
        page.script("window.come()")
        offered = "return document.querySelector('[data-label=intact]').disabled === false"
        wait_until(lambda: page.script(offered), what="the photograph before, in full")
        ActionChains(page.chromium).key_up(" ").perform()
        assert ready(page) == newest
        page.press("1")
        ready(page, newest)
    finally:
        page.chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    all_saved(page)
    assert kept(plant) == [(newest, "intact", "ana")]


FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"


def test_a_browser_that_stores_nothing_labels_what_is_on_the_screen(page, plant) -> None:
    first = begin(page)
    page.script(FULL)
    page.press("1")
    second = ready(page, first)
    page.press("2")
    ready(page, second)
    wait_until(lambda: kept(plant) == [(first, "intact", "ana"), (second, "worn", "ana")], what="both labels")
    assert not page.shows("#failed")


def test_the_last_label_of_all_can_be_taken_back(page, plant) -> None:
    with plant.database.transaction() as session:
        *others, _ = session.scalars(select(Captures.capture_id)).all()
        for capture in others:
            reviews.add(session, capture_id=capture, label="intact", by="bert", at=datetime.now(UTC))
    last = begin(page)
    page.press("1")
    wait_until(lambda: page.shows("#nothing"), what="the end of the queue")
    all_saved(page)
    page.press(Keys.BACKSPACE)
    wait_until(lambda: page.shown_capture() == last, what="the last one again")
    page.press("2")
    wait_until(lambda: page.shows("#nothing"), what="the end of the queue")
    all_saved(page)
    page.click('#nothing [data-do="undo"]')
    wait_until(lambda: page.shown_capture() == last, what="the last one again")
    assert [label for _, label, by in kept(plant) if by == "ana"] == ["intact", "worn"]


def test_of_a_photograph_that_does_not_come_nothing_is_said_and_it_is_asked_for_again(page, plant) -> None:
    images, away = plant.folder / "images", plant.folder / "away"
    images.rename(away)
    page.sign_in(path="/review")
    page.script("sessionStorage.clear(); localStorage.clear()")
    wait_until(lambda: "does not come" in page.text("#flag"), what="the word for it")
    assert page.of_all("[data-label]", "e.disabled") == [True] * 5
    first = page.shown_capture()
    page.press("u")
    page.press("1")
    away.rename(images)
    wait_until(lambda: page.of_all("[data-label]", "e.disabled") == [False] * 5, what="the photograph")
    assert not page.shows("#flag")
    assert (page.shown_capture(), kept(plant)) == (first, [])
    wait_until(lambda: page.press("1") or page.shown_capture() != first, what="the next one")
    all_saved(page)
    assert kept(plant)[0][1] == "intact"


def test_what_was_gone_back_to_is_there_after_a_reload(page, plant) -> None:
    first = begin(page)
    page.press("1")
    second = ready(page, first)
    page.press("2")
    third = ready(page, second)
    all_saved(page)
    page.press(Keys.BACKSPACE, Keys.BACKSPACE)
    wait_until(lambda: page.shown_capture() == first, what="the first one again")
    page.open("/review")
    assert ready(page) not in (first, second)
    page.press(Keys.BACKSPACE)
    assert ready(page, third) == second
    page.press(Keys.BACKSPACE)
    assert ready(page, second) == first
    assert len(kept(plant)) == 2


ENDLESS = """const ask = window.fetch, given = { made: 0, named: 0 };
window.fetch = (to, how) => {
  if (to !== "/review/next") return ask(to, how);
  given.named = how.body.getAll("without").length;
  const items = Array.from({ length: Number(how.body.get("count")) }, () => ({ id: `none-${given.made++}` }));
  const headers = { "X-Answered-By": "console" };
  return Promise.resolve(Response.json({ items, left: 4, more: true }, { headers }));
};
window.given = given;"""
"""A queue that never ends, which no plant of a test has; what the page asks of it is counted."""

SKIPPING = """const done = arguments[arguments.length - 1], image = () => document.getElementById("image").dataset.id;
(async () => {
  for (let number = 0; number < 310; number++) {
    const before = image();
    dispatchEvent(new KeyboardEvent("keydown", { key: "s", code: "KeyS" }));
    while (image() === before) await new Promise((next) => setTimeout(next));
  }
  done(window.given);
})();"""


def test_of_many_that_were_skipped_only_the_last_are_named(page) -> None:
    begin(page)
    added = page.chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ENDLESS})
    try:
        page.open("/review")
        wait_until(lambda: page.shows("#desk"), what="the first of them")
        given = page.chromium.execute_async_script(SKIPPING)
    finally:
        page.chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert given["made"] > 310
    assert 300 <= given["named"] < 310, "a form of a thousand fields is refused"


PROGRESS = """const done = arguments[arguments.length - 1];
import("/static/progress.js").then(({ Progress }) => {
  const progress = new Progress();
  progress.took(6_000);
  progress.show(12, 100, true);
  done(document.getElementById("left").textContent);
});"""


def test_where_more_wait_than_are_counted_the_time_left_is_the_least_that_it_takes(page) -> None:
    begin(page)
    assert page.chromium.execute_async_script(PROGRESS) == "12 done, 100+ left, about 10+ min"
