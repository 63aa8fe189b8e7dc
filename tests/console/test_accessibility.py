"""Nobody is kept out: axe over every page, in both schemes and on each screen; keyboard alone; no needless motion."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.console.browser import Page
from tests.console_plant import Plant
from tests.support import wait_until

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

OF_LAYOUT = {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "meta-viewport-large"]}
"""What depends on the size of the screen."""

OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What depends on the scheme, which is other colours in the same places: on one screen it is seen of all."""

PAGES = (
    "/",
    "/board",
    "/review",
    "/checks",
    "/replace",
    "/search",
    "/pocket?machine=mill-1&head=H12&pocket=1",
    "/pocket?machine=mill-9&head=Fräskopf+3&pocket=1",
    "/audit",
    "/faults",
    "/faults?station=station-3",
    "/drift",
    "/handover",
    "/models",
    "/models/candidate",
    "/sheet?machine=mill-1&head=H12",
    "/nothing",
)

FULL = {"/drift": "ol.strip img", "/faults": "p.problem"}
"""What a page shows only where a station drifts, or takes no usable photographs."""

OUT_OF_SIGHT = (
    "return [...document.querySelectorAll('.labels button, .tools button')].filter(e => "
    "e.getBoundingClientRect().bottom > Math.min(innerHeight, "
    "e.closest('.facts')?.getBoundingClientRect().bottom ?? Infinity))"
    ".map(e => e.textContent)"
)
"""Buttons of the review that are only reached by scrolling."""

SCREENS = {
    "desk": {"width": 1440, "height": 900, "mobile": False},
    "tablet of 10 inches": {"width": 1280, "height": 800, "mobile": True},
    "phone": {"width": 390, "height": 844, "mobile": True},
    "phone held sideways": {"width": 844, "height": 390, "mobile": True},
    "wall": {"width": 3840, "height": 2160, "mobile": False},
}

WIDE = ("tablet of 10 inches", "wall")
"""What differs little from a desk: a narrow screen has another layout."""

FITS = "return document.documentElement.scrollWidth <= screen.width"
"""Not `innerWidth`: on a phone that grows with what runs over."""


@pytest.fixture(scope="module")
def still_plant(still_plant: Plant) -> Plant:
    """With a station that drifts and takes no usable photographs, so that the pages of that are full."""
    still_plant.spoilt_station()
    return still_plant


@pytest.fixture
def page(still_page: Page) -> Page:
    """Nothing here changes anything."""
    return still_page


@pytest.fixture
def emulated(page: Page) -> Any:
    """Change the screen and the scheme of the browser, and give both back."""

    def change(screen: str, scheme: str = "light", motion: str = "no-preference") -> None:
        sizes = SCREENS[screen]
        metrics = {"deviceScaleFactor": 1, **sizes, "screenWidth": sizes["width"], "screenHeight": sizes["height"]}
        page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    yield change
    page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def violations(page: Page, by: Any = TAGS) -> list[str]:
    """What axe finds by these rules: the rule, and where."""
    if page.script("return !window.axe"):
        page.script(AXE)
    run = (
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']})"
        ".then(result => done(result.violations), error => done([{id: String(error), nodes: []}]));"
    )
    found = page.chromium.execute_async_script(run, by)
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found
        for node in each["nodes"] or [{"target": "-"}]
    ]


def settled(page: Page, path: str) -> None:
    page.open(path)
    page.complete("!!document.querySelector('main')")
    if path == "/review":
        wait_until(lambda: page.shown_capture() != "", what="a photograph")


@pytest.mark.timeout(900)  # each page by all rules, twice
def test_axe_finds_nothing(page, emulated) -> None:
    """A page is loaded once and seen on every screen: a layout is of its width alone, and no script asks for that."""
    page.sign_in("root", path=None)
    found: dict[tuple[str, str, str], list[str]] = {}

    def look(name: str) -> None:
        """Look at a page on all screens, and in both schemes on one of them."""
        for screen in WIDE:
            emulated(screen)
            found[name, screen, "light"] = violations(page, OF_LAYOUT)
            assert page.script(FITS), (name, screen)
        for screen in ("phone", "desk"):
            emulated(screen)
            found[name, screen, "light"] = violations(page)
            assert page.script(FITS), (name, screen)
        emulated("desk", "dark")
        assert page.script("return matchMedia('(prefers-color-scheme: dark)').matches")
        found[name, "desk", "dark"] = violations(page, OF_COLOURS)
        emulated("desk")

    emulated("desk")
    for path, full in FULL.items():
        settled(page, path)
        assert page.shows(full), path
    for path in PAGES:
        settled(page, path)
        page.script("document.querySelectorAll('details').forEach(each => each.setAttribute('open', ''))")
        look(path)
    settled(page, "/review")
    page.press("?")
    wait_until(lambda: page.shows("#help"))
    look("the keys")
    page.chromium.delete_all_cookies()
    settled(page, "/login")
    look("/login")
    assert {where: problems for where, problems in found.items() if problems} == {}


FOCUSABLE = "a[href], button, input, select, summary"
CAN = "e => e.checkVisibility() && !e.disabled && e.type !== 'hidden' && !e.closest('dialog')"
NAMED = "e => [e.tagName, e.getAttribute('href'), e.name, e.value, e.textContent.trim().slice(0, 40)].join(' ')"
"""A page that is live has its pieces anew at any time: what is reached is known by what it is."""


def test_the_keyboard_alone_reaches_everything_and_shows_where_it_is(page) -> None:
    page.sign_in(path=None)
    for path in ("/", "/checks", "/search", "/review", "/models"):
        settled(page, path)
        wanted = set(page.script(f"return [...document.querySelectorAll({FOCUSABLE!r})].filter({CAN}).map({NAMED})"))
        assert len(wanted) > 8
        page.script("document.activeElement.blur()")
        reached, unseen = set(), set()
        for _ in range(2 * len(wanted) + 10):
            page.press(Keys.TAB)
            name, outline = page.script(
                "const e = document.activeElement, s = getComputedStyle(e);"
                f"return [({NAMED})(e), s.outlineStyle + parseFloat(s.outlineWidth)]"
            )
            if name in wanted:
                reached.add(name)
                if outline != "solid3":
                    unseen.add(name)
            if reached == wanted:
                break
        assert wanted - reached == set(), path
        assert unseen == set(), path


@pytest.mark.parametrize(("motion", "lasts"), [("reduce", "0s"), ("no-preference", "9s")])
def test_nothing_moves_for_who_wants_no_motion(page, emulated, motion, lasts) -> None:
    page.sign_in(path=None)
    emulated("desk", motion=motion)
    settled(page, "/")
    script = "const s = document.querySelector('.card').style; s.transition = 'opacity 9s'; return getComputedStyle"
    assert page.script(f"{script}(document.querySelector('.card')).transitionDuration") == lasts
    # Who wants motion sees the cards fade in when their first pieces come; then nothing goes on moving.
    at_rest = 0 if motion == "reduce" else 30
    wait_until(lambda: page.script("return document.getAnimations().length") == 0, at_rest, "that nothing moves")


def test_targets_are_large_enough_for_gloves(page, emulated) -> None:
    page.sign_in(path=None)
    for screen in ("tablet of 10 inches", "phone"):
        emulated(screen)
        settled(page, "/review")
        small = page.script(
            "return [...document.querySelectorAll('.labels button, .tools button')]"
            ".filter(e => e.getBoundingClientRect().height < 60).map(e => e.outerHTML)"
        )
        assert small == [], screen
        over = (
            "return [...document.querySelectorAll('.labels button, .tools button')]"
            ".filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)"
        )
        for language in ("de", "es", "en"):
            page.choose_language(language)
            wait_until(lambda: page.shown_capture() != "", what="a photograph")
            assert page.script(over) == [], (screen, language)
            if screen != "phone":  # there the photograph and the labels come first
                assert page.script(OUT_OF_SIGHT) == [], language


def test_a_phone_held_sideways_has_the_photograph_and_the_labels_in_one_window(page, emulated) -> None:
    page.sign_in("root", path=None)
    emulated("phone held sideways")
    settled(page, "/review")
    for language in ("de", "es", "en"):
        page.choose_language(language)
        wait_until(lambda: page.shown_capture() != "", what="a photograph")
        assert page.script(FITS), language
        seen = page.script(
            "return ['.top', '.photo', ...'12345'].map((of, i) => (document.querySelector(of > 0 ? "
            "`.label:nth-child(${of})` : of)).getBoundingClientRect()).map(r => [r.left, r.top, r.right, r.bottom])"
        )
        (_, _, _, header), (left, top, right, bottom), *labels = seen
        assert header <= 60, "one row"
        assert right - left > 500
        assert header <= top < 240 < bottom <= 390, language
        for label in labels:
            assert label[0] >= right, language
            assert label[2] <= 844, language
            assert header <= label[1] <= label[3] - 60 <= 330, language
        over = "return [...document.querySelectorAll('.label')].filter(e => e.scrollWidth > e.clientWidth).length"
        assert page.script(over) == 0, language
