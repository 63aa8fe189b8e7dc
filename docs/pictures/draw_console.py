"""Takes the pictures of the console: a real Chromium and a real console on what a demo left in its folder.

After `make demo`, `python docs/pictures/draw_console.py var/demo` from the repository's root writes `console-line.png`,
`console-review.png`, `console-pocket.png` and `console-models.png` beside itself. `tests/acceptance/test_demo.py` takes
them too, of a demo of its own, and holds these against its own.
It needs Chromium and its driver (`apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.console.browser import Page, open_chromium  # noqa: E402
from tests.console.left_by_demo import page_on_demo  # noqa: E402
from tests.support import wait_until  # noqa: E402

WINDOW = 1440, 1080
WIDTH = 960
COLOURS = 48

LOADED = (
    "return [...document.images].filter((each) => each.getBoundingClientRect().top < innerHeight)"
    ".every((each) => each.complete && each.naturalWidth)"
)
"""What is below the window is loaded when somebody comes there."""

INSERTS = """const page = new XMLHttpRequest();
page.open("GET", arguments[0], false);
page.send();
return page.responseText.split('class="life"').length - 1;"""
"""How many inserts a pocket's page has."""


def draw(demo: Path, to: Path, chromium: webdriver.Chrome) -> None:
    """Look at what a demo left, from its line to what a click there opens, and write the pictures into a folder."""
    before = chromium.get_window_size()
    chromium.set_window_size(*WINDOW)
    try:
        with tempfile.TemporaryDirectory() as folder, page_on_demo(demo, Path(folder), chromium) as (page, _):
            page.sign_in(path=None)
            take(page, to / "console-line.png", "/", ".card")
            pocket = _of_several_inserts(page)
            take(page, to / "console-review.png", "/review", "#desk")
            take(page, to / "console-pocket.png", pocket, ".strip")
            take(page, to / "console-models.png", "/models", "#enough .chart")
    finally:
        chromium.set_window_size(before["width"], before["height"])


def _of_several_inserts(page: Page) -> str:
    """The address of a pocket that needs a person: one whose page shows as many inserts as any."""
    addresses = page.of_all("a.pocket:is(.damaged, .unsure)", "e.getAttribute('href')")
    return max(addresses, key=lambda address: int(page.script(INSERTS, address)))


def take(page: Page, to: Path, path: str, there: str) -> None:
    """One picture, once all of it is there."""
    page.open(path)
    wait_until(lambda: page.shows(there) and page.script(LOADED), 30, path)
    shot = Image.open(io.BytesIO(page.chromium.get_screenshot_as_png())).convert("RGB")
    small = shot.resize((WIDTH, round(shot.height * WIDTH / shot.width)), Image.Resampling.LANCZOS)
    small.quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE).save(to, optimize=True)


if __name__ == "__main__":
    opened = open_chromium()
    try:
        draw(Path(sys.argv[1]), HERE, opened)
    finally:
        opened.quit()
