"""Two people label one queue at once, each in a browser of their own."""

from collections.abc import Iterator

import pytest

from db.learning import reviews
from tests.console.browser import Page, open_chromium
from tests.support import wait_until


@pytest.fixture
def other_page(page, server) -> Iterator[Page]:
    chromium = open_chromium()
    yield Page(chromium, server)
    chromium.quit()


def test_two_people_on_one_queue_share_it_and_lose_no_review(page, other_page, plant) -> None:
    desks = {"ana": page, "bert": other_page}
    for name, desk in desks.items():
        desk.sign_in(name, path="/review")
    labelled: dict[str, list[str]] = {"ana": [], "bert": []}
    for key in "1234512345":
        shown = {name: next_photograph(desk, labelled[name]) for name, desk in desks.items()}
        for name, desk in desks.items():
            desk.press(key)
            labelled[name].append(shown[name])
    wait_until(lambda: len(kept(plant)) == 20, what="twenty labels")
    assert sorted(kept(plant)) == sorted((capture, name) for name in desks for capture in labelled[name])
    assert len({capture for capture, _ in kept(plant)}) == 20
    assert [desk.complaints() for desk in desks.values()] == [[], []]


def next_photograph(desk: Page, before: list[str]) -> str:
    wait_until(lambda: desk.shown_capture() not in ("", *before), what="the next photograph")
    return desk.shown_capture()


def kept(plant) -> list[tuple[str, str]]:
    with plant.database.reading() as session:
        return [(str(review.capture_id), review.by) for review in reviews.recent(session, limit=100)]
