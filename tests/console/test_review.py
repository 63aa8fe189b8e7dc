"""Reviews in a real browser, by keys alone: thirty with two steps back, and what happens when a label is not saved."""

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import count, pairwise

import uuid6
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from sqlalchemy import delete, update

from db.learning import reviews
from db.learning.review_chances import drawn
from db.schema.tables import Sessions, Verdicts
from tests.support import wait_until

UNSAVED = "return Object.keys(localStorage).filter(name => name.startsWith('unsaved ')).length"
"""How many labels the browser has not saved."""

LABELS = {"1": "intact", "2": "worn", "3": "broken", "4": "damaged", "5": "unusable"}


def kept(plant) -> list[tuple[str, str, str]]:
    with plant.database.reading() as session:
        return [(str(each.capture_id), each.label, each.by) for each in reviews.recent(session, limit=100)][::-1]


def ready(page, before: str = "") -> str:
    seen = ""

    def is_next() -> bool:
        nonlocal seen
        seen = page.shown_capture()
        return seen not in ("", before)

    wait_until(is_next, what="the next photograph")
    return seen  # what was seen then: asked again, the page may have gone on


def shows(page, capture: str) -> None:
    wait_until(lambda: page.shown_capture() == capture, what=f"the photograph {capture}")


def all_saved(page) -> None:
    """The page knows it too: only then may it be left."""
    wait_until(lambda: not page.script(UNSAVED), what="the answers")


def transformed(page, wanted: str) -> None:
    transform = "return document.getElementById('image').style.transform"
    wait_until(lambda: wanted in page.script(transform), what=wanted)


def key_of(page, selector: str, wanted: str) -> None:
    wait_until(lambda: page.texts(f"{selector} kbd") == [wanted], what=f"{wanted} for {selector}")


def begin(page) -> str:
    page.sign_in(path="/review")
    page.script("sessionStorage.clear(); localStorage.clear()")
    return ready(page)


def test_thirty_reviews_by_keys_with_two_steps_back(page, plant) -> None:
    capture, said = begin(page), []
    for number in range(28):
        key = "12345"[number % 5]
        said.append((capture, LABELS[key], "ana"))
        page.press(key)
        capture = ready(page, capture)
    # Two steps back, another label each; then on where it was.
    page.press(Keys.BACKSPACE, Keys.BACKSPACE)
    shows(page, said[-2][0])
    assert said[-2][1] in page.text("#said")
    page.press("2")
    said.append((said[-2][0], "worn", "ana"))
    assert ready(page, said[-1][0]) == said[-2][0]
    page.press("1")
    said.append((said[-2][0], "intact", "ana"))
    assert ready(page, said[-1][0]) == capture
    for key in ("3", "w"):
        said.append((capture, {"3": "broken", "w": "worn"}[key], "ana"))
        page.press(key)
        capture = ready(page, capture)
    wait_until(lambda: len(kept(plant)) == 32, what="the last label")
    assert kept(plant) == said
    assert len({capture for capture, _, _ in said}) == 30
    wait_until(lambda: "30 done, 10 left" in page.text("#left"), what="the progress")
    assert page.complaints() == []


def tap(page, selector: str) -> None:
    """Touch the middle of an element with a finger, and lift it."""
    where = "const {x, y, width, height} = document.querySelector(arguments[0]).getBoundingClientRect();"
    x, y = page.script(f"{where} return [x + width / 2, y + height / 2]", selector)
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
        page.chromium.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_fingers_label_and_take_a_label_back(page, plant) -> None:
    page.chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        first = begin(page)
        tap(page, "[data-label=worn]")
        second = ready(page, first)
        tap(page, "#undo")
        shows(page, first)
        tap(page, "[data-label=intact]")
        shows(page, second)
        all_saved(page)
        assert kept(plant) == [(first, "worn", "ana"), (first, "intact", "ana")]
    finally:
        page.chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_the_next_three_photographs_are_at_hand(page) -> None:
    came = [begin(page)]
    loaded = "return performance.getEntriesByType('resource').map(e => e.name).filter(of => of.endsWith('/large'))"
    wait_until(lambda: len(page.script(loaded)) >= 4, what="the one on the screen and three more")
    at_hand = {address.split("/")[-2] for address in page.script(loaded)}
    for _ in range(3):
        page.press("s")
        came.append(ready(page, came[-1]))
    assert set(came) <= at_hand


def test_a_skipped_one_does_not_come_again_and_keeps_no_label(page, plant) -> None:
    first = begin(page)
    page.press(Keys.ARROW_RIGHT)
    second = ready(page, first)
    page.press("1")
    ready(page, second)
    wait_until(lambda: len(kept(plant)) == 1)
    assert [capture for capture, _, _ in kept(plant)] == [second]


def test_a_sample_that_is_skipped_comes_back_until_somebody_says_what_it_is(page, plant) -> None:
    photo, now = next((plant.folder / "images").rglob("*.jpg")).read_bytes(), datetime.now(UTC)
    capture = plant.capture("mill-5", "H5", 1, 1, "op-0001", uuid6.uuid7(), now, photo)
    plant.judge(capture, -9.0, now)
    with plant.database.transaction() as session:
        number = next(number for number in count(1000) if drawn(number))
        session.execute(update(Verdicts).where(Verdicts.capture_id == capture.capture_id).values(id=number))
    sample, came = str(capture.capture_id), [begin(page)]
    while came.count(sample) < 3:
        page.press("s")
        came.append(ready(page, came[-1]))
        assert page.shows("#put-off") == (sample in came[:-1])
    places = [place for place, capture_id in enumerate(came) if capture_id == sample]
    assert 9 <= places[0] < 9 + 4, "every tenth is of the sample, and four are at hand"
    assert all(1 < later - earlier <= 6 for earlier, later in pairwise(places))
    page.press("5")
    wait_until(lambda: [(shown, label) for shown, label, _ in kept(plant)] == [(sample, "unusable")])
    assert not page.shows("#put-off")
    assert len(set(came)) == len(came) - 2, "what is no sample does not come again"


def test_keys_are_shown_and_can_be_switched_off(page, plant) -> None:
    first = begin(page)
    page.press("?")
    wait_until(lambda: page.shows("#help"))
    page.click("#keys-on")
    page.click("#help .main")
    wait_until(lambda: not page.shows("#help"))
    page.press("1")
    page.click('[data-label="worn"]')  # a tap does it all the same
    ready(page, first)
    wait_until(lambda: kept(plant))
    assert kept(plant) == [(first, "worn", "ana")]
    page.script("localStorage.clear()")


def test_a_key_shows_where_the_verdict_came_from_until_it_is_pressed_again(page) -> None:
    def comes_from(capture: str, kind: str) -> None:
        source = "return document.getElementById('image').getAttribute('src')"
        wait_until(lambda: page.script(source) == f"/photographs/{capture}/{kind}", what=kind)
        shows(page, capture)

    first = begin(page)
    comes_from(first, "large")
    assert not page.shows("#flag")
    page.press("e")
    comes_from(first, "evidence")
    assert "speaks for damage" in page.text("#flag")
    assert page.of_all("#evidence", "e.ariaPressed") == ["true"]
    page.press("1")
    second = ready(page, first)
    comes_from(second, "evidence")
    page.press("e")
    comes_from(second, "large")
    assert not page.shows("#flag")
    assert page.complaints() == []


def test_buttons_are_large_enough_for_gloves_and_zoom_stays(page) -> None:
    first = begin(page)
    assert all(len(page.heights(f'[data-label="{label}"]')) == 1 for label in LABELS.values())
    assert min(page.heights("[data-label]")) >= 60
    page.press("+", "+")
    transformed(page, "scale(2.25)")
    page.press("1")
    ready(page, first)
    transformed(page, "scale(2.25)")


def test_on_a_tablet_what_is_known_of_a_photograph_has_room(page, plant) -> None:
    page.sign_in("root", path=None)
    tablet = {"width": 1024, "height": 768, "deviceScaleFactor": 1, "mobile": False}
    page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", tablet)
    try:
        page.open("/review")
        page.choose_language("de")  # the longest menu
        wait_until(lambda: page.shows("#desk"))
        assert page.heights(".top")[0] <= 61, "one line"
        assert page.heights(".known")[0] >= 150
        assert page.script("return document.documentElement.scrollWidth") <= 1024
    finally:
        page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_server_that_is_killed_loses_no_review(page, plant) -> None:
    first = begin(page)
    page.server.kill()
    page.press("2")
    wait_until(lambda: "Not saved" in page.text("#failed:not([hidden])"), what="the complaint")
    page.press("1", "1")  # nothing goes on meanwhile
    wait_until(lambda: page.script("return !document.getElementById('no-more').hidden"), what="that none came in vain")
    assert not page.shows("#no-more"), "one complaint says it"
    page.server.start()
    wait_until(lambda: not page.shows("#failed"), what="the return")
    assert kept(plant) == [(first, "worn", "ana")]
    ready(page, first)


def test_a_session_that_is_ended_in_the_middle_loses_no_review(page, plant) -> None:
    first = begin(page)
    with plant.database.transaction() as session:
        session.execute(delete(Sessions))
    page.press("3")
    wait_until(lambda: page.shows("#failed a"), what="the way to the login")
    assert kept(plant) == []
    reviewing = page.chromium.current_window_handle
    page.click_into_new_window("#failed a")
    page.fill_in("ana")
    page.chromium.close()
    page.chromium.switch_to.window(reviewing)
    wait_until(lambda: not page.shows("#failed"), what="the return")
    assert kept(plant) == [(first, "broken", "ana")]


def test_another_person_s_login_does_not_sign_what_was_said_before(page, plant) -> None:
    begin(page)
    with plant.database.transaction() as session:
        session.execute(delete(Sessions))
    page.press("3")
    wait_until(lambda: page.shows("#failed a"))
    reviewing = page.chromium.current_window_handle
    page.click_into_new_window("#failed a")
    page.fill_in("bert")
    page.chromium.close()
    page.chromium.switch_to.window(reviewing)
    page.click("#again")
    wait_until(lambda: "sign in as ana" in page.text("#failed"))
    assert Counter(kept(plant)) == Counter()
    page.script("sessionStorage.clear(); localStorage.clear()")
    page.sign_in("ana")


def test_a_key_is_remapped_and_stays_so(page, plant) -> None:
    first = begin(page)
    page.press("?")
    wait_until(lambda: page.shows("#help"))
    page.click('[data-action="broken"] button')
    page.press("k")
    key_of(page, '[data-action="broken"]', "k")
    page.click("#help .main")
    key_of(page, '[data-label="broken"]', "k")
    page.press("3")  # no key of anything any more
    page.press("k")
    second = ready(page, first)
    all_saved(page)
    assert len(kept(plant)) == 1
    page.open("/review")  # in another page of this browser too
    assert ready(page) == second
    page.press("k")
    ready(page, second)
    wait_until(lambda: len(kept(plant)) == 2, what="the second label")
    assert kept(plant) == [(first, "broken", "ana"), (second, "broken", "ana")]


def test_a_key_that_another_has_is_taken_from_it_and_all_can_be_as_they_were(page) -> None:
    begin(page)
    page.press("?")
    wait_until(lambda: page.shows("#help"))
    page.click('[data-action="skip"] button')
    page.press("1")
    key_of(page, '[data-action="skip"]', "1")
    assert page.texts('[data-action="intact"] kbd') == ["i"]
    page.click('[data-action="skip"] button')
    page.press(Keys.ESCAPE)  # another thought: nothing changes, and the dialog stays
    wait_until(lambda: page.of_all('[data-action="skip"] button', "e.ariaPressed") == ["false"])
    assert page.shows("#help")
    key_of(page, '[data-action="skip"]', "1")
    page.click("#keys-reset")
    wait_until(lambda: page.texts('[data-action="intact"] kbd')[0] == "1")
    assert page.texts('[data-action="skip"] kbd')[0] == "→"


def begin_at_a_pocket_that_was_photographed_before(page, plant) -> str:
    photo = next((plant.folder / "images").rglob("*.jpg")).read_bytes()
    now = datetime.now(UTC)
    for operation in ("op-0001", "op-0002"):
        capture = plant.capture("mill-5", "H5", 1, 1, operation, uuid6.uuid7(), now, photo)
        plant.judge(capture, 0.0, now)
    newest = str(capture.capture_id)
    page.sign_in(path=f"/review?capture={newest}")
    assert ready(page) == newest
    return newest


def test_the_photograph_before_is_shown_while_a_key_is_held(page, plant) -> None:
    newest = begin_at_a_pocket_that_was_photographed_before(page, plant)
    source = "return document.getElementById('image').src"
    assert newest in page.script(source)
    loaded = "return performance.getEntriesByType('resource').filter(e => e.name.includes('/photographs/')).length"
    wait_until(lambda: page.script(loaded) >= 4, what="four photographs, and the one before the first among them")
    held = ActionChains(page.chromium).key_down(Keys.SPACE)
    held.perform()
    wait_until(lambda: newest not in page.script(source), what="the photograph before")
    wait_until(lambda: page.shows("#flag"))
    ActionChains(page.chromium).key_up(Keys.SPACE).perform()
    wait_until(lambda: newest in page.script(source), what="the photograph itself")
    assert not page.shows("#flag")


def seen_for_a_moment(page) -> None:
    """Long enough for a tap to say what it is."""
    now = page.script("return performance.now()")
    wait_until(lambda: page.script("return performance.now()") > now + 300, what="a moment")


def test_a_tap_labels_what_is_on_the_screen_and_two_in_a_moment_are_one(page, plant) -> None:
    newest = begin_at_a_pocket_that_was_photographed_before(page, plant)
    seen_for_a_moment(page)
    for say in (lambda: page.click('[data-label="intact"]'), lambda: page.press("1")):
        page.click("#previous")
        wait_until(lambda: page.shows("#flag"), what="the photograph before")
        page.script("document.activeElement.blur()")
        say()
        wait_until(lambda: not page.shows("#flag"), what="the photograph itself")
        assert page.shown_capture() == newest
    ActionChains(page.chromium).double_click(page.find('[data-label="worn"]')).perform()
    assert not page.shows("#flag")
    second = ready(page, newest)
    all_saved(page)
    assert kept(plant) == [(newest, "worn", "ana")]
    # A button that has the focus is pressed by the keys of every button.
    seen_for_a_moment(page)
    page.script("document.querySelector('[data-label=broken]').focus()")
    page.press(Keys.SPACE)
    ready(page, second)
    all_saved(page)
    assert kept(plant)[1:] == [(second, "broken", "ana")]


def test_a_drawing_in_place_of_a_photograph_is_nothing_but_unusable(page, plant) -> None:
    for photo in (plant.folder / "images").rglob("*.jpg"):
        photo.unlink()
    first = begin(page)
    assert page.of_all("[data-label]", "e.disabled ? '' : e.dataset.label") == ["", "", "", "", "unusable"]
    page.press("1")
    assert page.shown_capture() == first
    page.press("5")
    ready(page, first)
    all_saved(page)
    assert kept(plant) == [(first, "unusable", "ana")]


def test_a_label_that_is_never_taken_is_said_and_holds_up_no_other(page, plant) -> None:
    first = begin(page)
    gone = {"capture": str(uuid6.uuid7()), "label": "worn", "by": "ana", "place": "mill-1 · H12 · 3", "seen": None}
    page.script("localStorage.setItem('unsaved 1 tab', arguments[0])", json.dumps(gone))
    page.open("/review")
    wait_until(lambda: page.shows("#refused"), what="what is not kept")
    assert "mill-1 · H12 · 3: what you said is not kept" in page.text("#refused")
    ready(page)
    page.press("1")
    second = ready(page, first)
    all_saved(page)
    assert [label for _, label, _ in kept(plant)] == ["intact"]
    # What was said before can be gone back to after a reload.
    page.open("/review")
    ready(page)
    page.press(Keys.BACKSPACE)
    shows(page, kept(plant)[0][0])
    assert second != kept(plant)[0][0]


def test_a_large_photograph_is_moved_by_keys(page) -> None:
    begin(page)
    page.press("+", "+")
    ActionChains(page.chromium).key_down(Keys.SHIFT).send_keys(Keys.ARROW_LEFT).key_up(Keys.SHIFT).perform()
    right = "return Number(document.getElementById('image').style.transform.match(/translate\\(([-\\d.]+)/)[1])"
    wait_until(lambda: page.script(right) > 0, what="another part of it")
    page.press("0")
    transformed(page, "scale(1)")
    assert page.script(right) == 0, "all of it"


def test_in_german_the_labels_and_the_progress_are_german(page, plant) -> None:
    page.sign_in(path="/review")
    page.choose_language("de")
    first = ready(page)
    assert [text.lower() for text in page.texts(".label span")] == [
        *("intakt", "verschlissen", "ausgebrochen", "beschädigt", "unbrauchbar"),
    ]
    page.press("2")
    ready(page, first)
    wait_until(lambda: page.text("#left").startswith("1 erledigt, 39 übrig"))
    page.press(Keys.BACKSPACE)
    wait_until(lambda: "Ihre Angabe: verschlissen" in page.text("#said"))
