"""The line in a real browser: live, without any other host, in the dark, on a phone, and when the server is gone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import uuid6
from selenium.webdriver.common.keys import Keys

from tests.console.browser import Browser, Page, Server, open_chromium
from tests.support import wait_until

ALL_PAGES = ("/", "/board", "/review", "/checks", "/replace", "/search", "/pocket?machine=mill-1&head=H12&pocket=1")


def test_a_verdict_reaches_an_open_page_by_itself(page, plant) -> None:
    page.sign_in()
    wait_until(lambda: "REVIEW" in page.text(".cards"), what="the line")
    now = datetime.now(UTC)
    photo = (plant.folder / "images").rglob("*.jpg").__next__().read_bytes()
    capture = plant.capture("mill-1", "H12", 7, 1, "op-0002", uuid6.uuid7(), now, photo)
    plant.judge(capture, 3.0, now)
    wait_until(lambda: "REPLACE\n7" in page.text(".card.replace"), what="the new answer")
    assert "op-0002" in page.text(".card.replace")
    another = photo + b"."  # a photograph of its own: what was that of another head makes no go
    other = plant.capture("mill-9", "H1", 1, 1, "op-0001", uuid6.uuid7(), now, another)
    plant.judge(other, -3.0, now)
    wait_until(lambda: page.shows(".card.go"), what="a head that is new")
    assert page.complaints() == []


@pytest.fixture
def noted_page(browser: Browser, still_server: Server) -> Iterator[Page]:
    """A page of a browser of its own, which notes all requests."""
    chromium = open_chromium(noting_requests=True)
    yield Page(chromium, still_server)
    chromium.quit()


def test_nothing_is_asked_of_any_other_host(noted_page) -> None:
    noted_page.sign_in(path=None)
    for path in ALL_PAGES:
        noted_page.open(path)
        noted_page.complete()
    asked = [
        json.loads(entry["message"])["message"]["params"]["request"]["url"]
        for entry in noted_page.chromium.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert len(asked) > 20
    assert [url for url in asked if not url.startswith(noted_page.server.base)] == []
    assert noted_page.complaints() == []  # nor does the policy forbid anything that a page has


OTHER_CLOCK = "const now = Date.now; Date.now = () => now() - 86_400_000;"
"""A computer whose clock is a day behind."""


def test_a_dead_server_is_said_and_its_return_too(page) -> None:
    page.sign_in(path=None)
    added = page.chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": OTHER_CLOCK})
    page.open("/")
    page.chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    wait_until(lambda: page.shows(".card.review"))
    page.server.kill()
    wait_until(lambda: page.shows("#lost"), 30, "the banner")
    assert "No connection" in page.text("#lost")
    assert page.text("#lost time").endswith("sec"), "whatever the clock says"
    assert page.script("return document.body.classList.contains('disconnected')")
    page.server.start()
    wait_until(lambda: not page.shows("#lost"), 30, "the return")
    assert not page.script("return document.body.classList.contains('disconnected')")


def test_a_database_that_is_away_is_said_and_its_return_too(page, plant) -> None:
    page.sign_in()
    wait_until(lambda: page.shows(".card"))
    file, grey = plant.folder / "inserts.db", "return document.body.classList.contains('disconnected')"
    file.rename(plant.folder / "away.db")
    wait_until(lambda: page.shows("#lost"), 30, "the banner")
    assert page.script(grey)
    (plant.folder / "away.db").rename(file)
    wait_until(lambda: not page.shows("#lost"), 30, "the return")
    assert not page.script(grey)


def test_a_head_turns_grey_by_the_page_s_own_clock(page) -> None:
    page.sign_in()
    wait_until(lambda: page.shows(".card.review"))
    page.server.kill()  # nobody can be asked
    page.script("for (const age of document.querySelectorAll('[data-stale-in]')) age.dataset.staleIn = '1'")
    wait_until(lambda: page.shows(".card.review.aged"), 30, "what is of long ago")
    assert not page.shows(".card.review:not(.aged)"), "what a person has to do stays"


def test_a_go_of_before_is_not_the_largest_word(page, plant) -> None:
    now, photo = datetime.now(UTC), next((plant.folder / "images").rglob("*.jpg")).read_bytes() + b"."
    plant.judge(plant.capture("mill-9", "H1", 1, 1, "op-0001", uuid6.uuid7(), now, photo), -3.0, now)
    page.sign_in(path="/board")
    wait_until(lambda: page.shows(".card.go"))
    assert page.text(".card.go .answer") == "GO"
    page.server.kill()
    wait_until(lambda: page.shows("#lost"), 30, "the banner")
    assert page.text(".card.go .answer") == "OLD"
    page.script("for (const age of document.querySelectorAll('[data-stale-in]')) age.dataset.staleIn = '1'")
    wait_until(lambda: not page.shows(".card.go"), 30, "what is of long ago")
    assert "OLD" in page.script("return document.querySelector('.past').closest('.answer').innerText")
    assert "GO" not in page.script("return document.querySelector('.past').closest('.answer').innerText")


def test_more_pages_than_a_browser_has_connections_stay_live(page, plant) -> None:
    """Without HTTP/2 it opens six to a host."""
    page.sign_in(path="/board")
    first = page.chromium.current_window_handle
    try:
        for _ in range(7):
            page.chromium.switch_to.new_window("tab")
            page.open("/board")
            page.complete()
            assert page.shows(".card")
        photo = next((plant.folder / "images").rglob("*.jpg")).read_bytes()
        now = datetime.now(UTC)
        plant.judge(plant.capture("mill-1", "H12", 7, 1, "op-0002", uuid6.uuid7(), now, photo), 3.0, now)
        for window in (page.chromium.current_window_handle, first):
            page.chromium.switch_to.window(window)
            wait_until(lambda: page.shows(".card.replace"), what="the new answer")
            assert not page.shows("#lost")
    finally:
        for window in set(page.chromium.window_handles) - {first}:
            page.chromium.switch_to.window(window)
            page.chromium.close()
        page.chromium.switch_to.window(first)


def _luminance(page, of: str, selector: str) -> float:
    text = page.script(f"return getComputedStyle(document.querySelector('{selector}')).{of}")
    channels = [float(each) / 255 for each in text.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_can_both_be_read(still_page, scheme) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    still_page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    still_page.sign_in()
    wait_until(lambda: still_page.shows(".card"))
    ground = _luminance(still_page, "backgroundColor", "body")
    assert (ground < 0.05) == (scheme == "dark")
    for text, behind in (
        (".answer b", ".answer"),
        (".answer .numbers", ".answer"),
        ("h2", ".card"),
        (".soft", ".card"),
    ):
        light, dark = sorted(
            (_luminance(still_page, "color", text), _luminance(still_page, "backgroundColor", behind)), reverse=True
        )
        assert (light + 0.05) / (dark + 0.05) >= 4.5, text  # WCAG 2.2, 1.4.3
    still_page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("path", ["/board", "/"])
def test_what_is_printed_of_a_dark_screen_is_dark_on_white(still_page, path) -> None:
    still_page.sign_in(path=path)
    wait_until(lambda: still_page.shows(".card.replace .pocket.damaged"))
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    still_page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    try:
        texts = (".card.replace .answer b", ".numbers", "h2", ".legend li", ".soft", ".faults summary", "small")
        drawn = (".pocket.intact", ".pocket.damaged", ".pocket.unsure", ".mark.damaged")
        marks = [(what, "stroke") for of in drawn for what in (of, f"{of} .seat", f"{of} .glyph")]
        shown = [(what, "color") for what in texts] + [(".map text:not(.pocket.damaged text)", "fill"), *marks]
        pale = {
            what: luminance
            for what, of in shown
            if still_page.of_all(what, f"getComputedStyle(e).{of}")[:1] not in ([], ["none"])
            and (luminance := _luminance(still_page, of, what)) > (1 + 0.05) / 4.5 - 0.05
        }
        assert pale == {}
        assert _luminance(still_page, "backgroundColor", ".card") > 0.95
        assert _luminance(still_page, "fill", ".pocket.damaged text") > 0.95, "on a seat that is dark"
    finally:
        still_page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_a_phone_needs_no_scrolling_sideways(still_page) -> None:
    still_page.sign_in()
    still_page.choose_language("de")  # its words are the longest
    metrics = {"width": 320, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    still_page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for path in ("/", "/board", "/review", "/login", "/replace"):  # narrow as WCAG 2.2, 1.4.10 has it
        still_page.open(path)
        assert still_page.script("return document.documentElement.scrollWidth") <= 320, path
    still_page.choose_language("en")
    still_page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_long_names_and_long_words_run_over_nothing_on_a_phone(page, plant) -> None:
    photo, now = next((plant.folder / "images").rglob("*.jpg")).read_bytes(), datetime.now(UTC)
    machine, head = "M" * 64, "Wendeschneidplattenfräskopf" * 2
    plant.judge(plant.capture(machine, head, 999, 999, "O" * 64, uuid6.uuid7(), now, photo), 3.0, now)
    plant.candidate()
    place = f"machine={machine}&head={head}"
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.sign_in(path=None)
    page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.open(f"/sheet?{place}")
        page.choose_language("de")  # the bar at the foot does not cover what is below it
        wide = {}
        paths = ("/", "/replace", "/checks", "/handover", "/models/candidate")
        for path in (*paths, f"/sheet?{place}", f"/pocket?{place}&pocket=999"):
            page.open(path)
            page.complete()
            wide[path] = page.script("return document.documentElement.scrollWidth")
            crowded = page.of_all(".strip li, .sheet-list li, .card > header", "e.scrollWidth > e.clientWidth")
            assert not any(crowded), path
        assert {path: pixels for path, pixels in wide.items() if pixels > 390} == {}
    finally:
        page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_answer_can_be_read_from_three_metres(still_page) -> None:
    still_page.sign_in(path="/board")
    wait_until(lambda: still_page.shows(".card"))
    pixels = float(still_page.script("return getComputedStyle(document.querySelector('.answer b')).fontSize")[:-2])
    assert pixels >= 56  # a capital of 10 mm at 96 dots an inch: a two-hundred-and-fiftieth of three metres, and more


def test_every_pocket_is_reached_by_the_keyboard(page) -> None:
    page.sign_in()
    wait_until(lambda: page.shows(".card"))
    assert len(page.texts("a.pocket")) == 60  # the register says thirty a head
    for _ in range(20):
        page.press(Keys.TAB)
        if page.script("return document.activeElement.classList.contains('pocket')"):
            break
    page.press(Keys.TAB)
    with page.another_page():
        page.press(Keys.ENTER)
    assert page.chromium.current_url.endswith("/pocket?machine=mill-1&head=H12&pocket=2")
    assert "pocket 2" in page.text("h1")


def test_a_head_alone_on_a_desk_has_its_answer_beside_a_large_map(still_page) -> None:
    still_page.sign_in(path="/?machine=mill-9")
    sides = "return ['.answer', '.map'].map(of => document.querySelector(of).getBoundingClientRect().toJSON())"
    answer, drawn = still_page.script(sides)
    assert drawn["left"] > answer["right"]
    assert drawn["top"] < answer["bottom"] < still_page.script("return innerHeight")
    assert drawn["width"] > 0.4 * still_page.script("return innerWidth")


TABLET = {"width": 1024, "height": 768, "deviceScaleFactor": 1, "mobile": False}


def test_a_tablet_shows_first_what_needs_a_person_and_leads_to_the_rest(still_page) -> None:
    still_page.sign_in(path=None)
    still_page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TABLET)
    try:
        still_page.open("/")
        wait_until(lambda: still_page.shows("#tally [data-state=replace]"), what="how many heads there are of each")
        top = "Math.round(e.getBoundingClientRect().top)"
        assert max(still_page.of_all(".card.replace", top)) <= min(still_page.of_all(".card:not(.replace)", top))
        assert min(still_page.heights("#tally a:not([hidden])")) >= 44
        assert max(still_page.of_all(".card.review", top)) > 0
        still_page.click("#tally [data-state=review]")
        wait_until(lambda: still_page.script("return location.hash.length") > 1)
        # Not `:target`: what is told of the head meanwhile puts another element in its place.
        aim = "const e = document.getElementById(location.hash.slice(1)); return"
        assert "review" in still_page.script(f"{aim} e.className").split()
        assert still_page.script(f"{aim} {top}") < 768
    finally:
        still_page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert still_page.complaints() == []


def test_few_heads_fill_a_wide_wall(still_page) -> None:
    still_page.sign_in(path=None)
    wall = {"width": 3840, "height": 2160, "deviceScaleFactor": 1, "mobile": False}
    still_page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wall)
    try:
        still_page.open("/board")
        wait_until(lambda: still_page.shows(".card .map"))
        bottoms = still_page.of_all(".card", "e.getBoundingClientRect().bottom")
        maps = still_page.heights(".map")
        assert len(maps) <= 4
        assert min(bottoms) > 0.97 * 2160
        assert min(maps) > 0.45 * 2160  # beside three lines above, and words as large as on a screen of 1920 pixels
        assert still_page.script("return document.documentElement.scrollHeight") == 2160, "nothing is to be scrolled"
    finally:
        still_page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
