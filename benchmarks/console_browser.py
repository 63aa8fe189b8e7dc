"""The console in a real Chromium: from a key to the next photograph, and from a verdict to a board that shows it.

`console_next_image_ms`: thirty photographs of 1,280 pixels are labelled by keys, at the pace of a quick person;
measured in the browser, from the key's event to the frame after the next photograph is there, the 95th percentile.
`console_review_seconds`: thirty reviews of what a demo left, by the clock, from the page's address to the last label
kept, for each review what the person does not think. `python -m benchmarks.console_browser var/demo` takes the folder
of a demo that there is; `make bench` runs a demo first.
`console_live_ms`: a board with fifty heads of thirty pockets is open; measured from when a verdict is committed to the
moment when the board has it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uuid6
from selenium import webdriver

from benchmarks.measure import Benchmark
from benchmarks.percentiles import percentile
from db.engine.database import Database
from db.learning import reviews
from db.people import accounts
from producer.simulation.head import SimulatedHead
from tests.console.browser import CHROMIUM, DRIVER, PASSWORD, Page, Server, open_chromium
from tests.console.left_by_demo import page_on_demo
from tests.console_plant import Plant
from tests.support import wait_until
from worker.embedded.redis_server import free_port

REVIEWS: Final = 30
THINKING_SECONDS: Final = 0.5
HEADS: Final = 50
POCKETS: Final = 30

_WATCH_KEYS: Final = """
window.taken = [];
const shown = () => document.getElementById("image");
addEventListener("keydown", (event) => {
  const before = shown().dataset.id, began = event.timeStamp;
  const look = () => {
    if (shown().dataset.id === before || !shown().complete) return requestAnimationFrame(look);
    shown().decode().then(() => requestAnimationFrame(() => setTimeout(() => taken.push(performance.now() - began))));
  };
  requestAnimationFrame(look);
}, true);
"""
"""In the browser: milliseconds from each key to the frame after which the next photograph is there."""

_WATCH_BOARD: Final = """
window.shown = {};
new MutationObserver(() => {
  const text = document.querySelector(".cards").innerText;
  for (const [name] of text.matchAll(/live-\\d+/g)) shown[name] ??= Date.now();
}).observe(document.getElementById("heads"), { childList: true, subtree: true });
"""
"""In the browser: when the board first had each operation."""


@contextmanager
def page_on(plant: Plant) -> Iterator[Page]:
    """A browser in which somebody has signed in to a console of a plant.

    Raises:
        RuntimeError: there is no Chromium.
    """
    with plant.database.transaction() as session:
        accounts.add(session, "ana", "reviewer", PASSWORD, datetime.now(UTC))
    server = Server(plant.folder, free_port(), plant.heads_file)
    server.start()
    try:
        with _opened() as chromium:
            page = Page(chromium, server)
            page.sign_in()
            yield page
    finally:
        server.kill()
        plant.database.close()


@contextmanager
def _opened() -> Iterator[webdriver.Chrome]:
    if CHROMIUM is None or DRIVER is None:
        raise RuntimeError("there is no Chromium here: apt-get install chromium chromium-driver")
    chromium = open_chromium()
    try:
        yield chromium
    finally:
        chromium.quit()


def next_image(samples: int) -> list[float]:
    """`samples` times the 95th percentile of the milliseconds to the next photograph."""
    return [percentile(_of_large_photographs(), 0.95) for _ in range(samples)]


def _of_large_photographs() -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        plant = Plant(Path(folder), size=1280)
        plant.unsure_heads()
        with page_on(plant) as page:
            return thirty_reviews(page, plant.database)[0]


def beyond_thinking(samples: int) -> list[float]:
    """`samples` times the seconds of a review of what a demo left that are not thought: waiting, labelling, keeping."""
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        command = (sys.executable, "-m", "worker.commands.main", "demo", "--data", str(demo), "--json")
        subprocess.run(command, check=True, capture_output=True)
        return [of_demo(demo)[1] for _ in range(samples)]


def of_demo(demo: Path) -> tuple[list[float], float]:
    """Thirty reviews of what a demo left in its folder, which stays as it is."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _opened() as chromium,
        page_on_demo(demo, Path(folder), chromium) as (page, database),
    ):
        page.sign_in()
        return thirty_reviews(page, database)


def thirty_reviews(page: Page, database: Database) -> tuple[list[float], float]:
    """The milliseconds from each key to the next photograph, and the seconds of a review beyond the thinking."""
    before = _kept(database)
    began = time.perf_counter()
    page.open("/review")
    wait_until(lambda: page.shown_capture() != "", what="the first photograph")
    page.script(_WATCH_KEYS)
    for number in range(REVIEWS):
        time.sleep(THINKING_SECONDS)  # what a person takes to look; the next ones are loaded meanwhile
        page.press("12345"[number % 5])
        wait_until(lambda number=number: len(page.script("return taken")) > number, what="the next photograph")
    wait_until(lambda: _kept(database) == before + REVIEWS, what="the last label in the database")
    seconds = (time.perf_counter() - began) / REVIEWS - THINKING_SECONDS
    return page.script("return taken"), seconds


def _kept(database: Database) -> int:
    with database.reading() as session:
        return len(reviews.recent(session, limit=1000))


def live(samples: int) -> list[float]:
    """Milliseconds until an open board has a verdict, `samples` times on one board."""
    with tempfile.TemporaryDirectory() as folder:
        plant = Plant(Path(folder), size=64)
        photo, _ = SimulatedHead(1, 1, size=64).photograph(1)
        for number in range(HEADS):
            check, now = uuid6.uuid7(), datetime.now(UTC)
            for pocket in range(1, POCKETS + 1):
                capture = plant.capture(f"mill-{number}", "H1", pocket, POCKETS, "op-0001", check, now, photo)
                plant.judge(capture, -3.0, now)
        with page_on(plant) as page:
            page.open("/board")
            wait_until(lambda: page.script("return document.querySelectorAll('article').length") == HEADS, 60, "heads")
            page.script(_WATCH_BOARD)
            return [_until_shown(plant, page, photo, number) for number in range(samples)]


def _until_shown(plant: Plant, page: Page, photo: bytes, number: int) -> float:
    now, operation = datetime.now(UTC), f"live-{number}"
    capture = plant.capture(f"mill-{7 * number % HEADS}", "H1", 1, 1, operation, uuid6.uuid7(), now, photo)
    plant.judge(capture, 3.0, now)
    committed = 1000 * time.time()
    wait_until(lambda: operation in page.script("return shown"), 20, "the board")
    return float(page.script("return shown")[operation]) - committed


BENCHMARKS: Final = (
    Benchmark(
        name="console_next_image_ms",
        sentence="from a key to the next photograph painted, in Chromium, of thirty the 95th percentile",
        unit="ms",
        target=100.0,
        at_least=False,
        measure=next_image,
        samples=3,
    ),
    Benchmark(
        name="console_review_seconds",
        sentence="of thirty reviews of a demo's photographs by keys, the seconds of each beyond the thinking",
        unit="s",
        target=0.4,
        at_least=False,
        measure=beyond_thinking,
        samples=3,
    ),
    Benchmark(
        name="console_live_ms",
        sentence="from a verdict to an open board of fifty heads that shows it, in Chromium",
        unit="ms",
        target=1000.0,
        at_least=False,
        measure=live,
        samples=9,
    ),
)

if __name__ == "__main__":
    milliseconds, beyond = of_demo(Path(sys.argv[1]))
    print(f"thirty reviews: {beyond:.2f} s each beyond {THINKING_SECONDS} s of thinking")
    print(f"from a key to the next photograph, 95th percentile: {percentile(milliseconds, 0.95):.0f} ms")
