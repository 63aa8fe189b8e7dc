"""Takes the pictures of the console: a real Chromium, a real console, a plant of rendered inserts.

`python docs/pictures/draw_console.py` from the repository's root writes `console-line.png`, `console-review.png`,
`console-pocket.png` and `console-model.png` beside itself. `tests/console/test_pictures.py` takes them too, and holds
these against its own.
It needs Chromium and its driver (`apt-get install chromium chromium-driver`).
"""

from __future__ import annotations

import io
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from selenium import webdriver

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from db.people import accounts  # noqa: E402
from tests.console.browser import PASSWORD, Page, Server, open_chromium  # noqa: E402
from tests.console_plant import Plant  # noqa: E402
from tests.support import wait_until  # noqa: E402
from worker.embedded.redis_server import free_port  # noqa: E402

WINDOW = 1440, 1080
WIDTH = 960
COLOURS = 160

LOADED = (
    "return [...document.images].filter((each) => each.getBoundingClientRect().top < innerHeight)"
    ".every((each) => each.complete && each.naturalWidth)"
)
"""What is below the window is loaded when somebody comes there."""


def draw(to: Path, chromium: webdriver.Chrome, size: int = 384) -> None:
    """Make the plant, with photographs of so many pixels, look at it, and write the pictures into a folder."""
    before = chromium.get_window_size()
    chromium.set_window_size(*WINDOW)
    with tempfile.TemporaryDirectory() as folder:
        plant = Plant(Path(folder), size)
        plant.work()
        plant.candidate()
        plant.fault()
        plant.change_insert("mill-2", "Fräskopf 3", 5)
        with plant.database.transaction() as session:
            accounts.add(session, "ana", "reviewer", PASSWORD, datetime.now(UTC))
        server = Server(plant, free_port())
        server.start()
        try:
            page = Page(chromium, server)
            page.sign_in()
            take(page, to / "console-line.png", "/", ".card")
            take(page, to / "console-review.png", "/review", "#desk")
            take(page, to / "console-pocket.png", "/pocket?machine=mill-1&head=H12&pocket=8", ".strip")
            take(page, to / "console-model.png", "/models/candidate", "#scores")
        finally:
            server.kill()
            chromium.set_window_size(before["width"], before["height"])


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
        draw(HERE, opened)
    finally:
        opened.quit()
