"""The contact sheet in a real browser: what was not on the screen is not labelled."""

from datetime import UTC, datetime

import uuid6

from db.learning import reviews
from tests.support import wait_until

SEEN = "(r => Math.min(r.bottom, innerHeight) - Math.max(r.top, 0) >= 0.75 * r.height)(e.getBoundingClientRect())"
"""So much of a photograph is to be on the screen."""


def kept(plant) -> list[tuple[str, str]]:
    with plant.database.reading() as session:
        return [(str(each.capture_id), each.provenance) for each in reviews.recent(session, limit=100)]


def see_head(plant, head: str, pockets: int) -> list[str]:
    """Photographs of a head that are judged intact; their names in the image store."""
    photo = next((plant.folder / "images").rglob("*.jpg")).read_bytes()
    check, now = uuid6.uuid7(), datetime.now(UTC)
    numbers = range(1, pockets + 1)
    photos = {number: photo + f"{head} {number}".encode() for number in numbers}  # of its own: else it is not believed
    captures = [plant.capture("mill-8", head, of, pockets, "op-0001", check, now, photos[of]) for of in numbers]
    for capture in captures:
        plant.judge(capture, -3.0, now)
    return [str(capture.image) for capture in captures]


def test_only_thumbnails_that_were_shown_are_labelled(page, plant) -> None:
    see_head(plant, "H8", 48)
    page.sign_in("ana", path="/sheet?machine=mill-8&head=H8")
    wait_until(lambda: int(page.text("#count")) > 4, what="what is on the screen")
    wait_until(lambda: not any(page.of_all("[data-confirmable]:not(.seen)", SEEN)), what="all that is on it")
    everything, seen = (len(page.texts(f"[data-confirmable]{kind}")) for kind in ("", ".seen"))
    assert 0 < seen < everything
    page.click("[data-confirmable].seen label")  # not this one
    wait_until(lambda: int(page.text("#count")) == seen - 1, what="one less")
    chosen = {value.split()[0] for value in page.of_all("input[name=shown]:checked", "e.value")}
    assert len(chosen) == seen - 1
    assert page.heights("#confirm")[0] >= 60
    page.follow("#confirm")
    assert page.shows("#done")
    assert dict(kept(plant)) == dict.fromkeys(chosen, "bulk")
    page.script("window.scrollTo(0, document.body.scrollHeight)")
    wait_until(lambda: page.shows("li:last-child.seen") or page.shows(".thumbs li:nth-last-child(2).seen"))
    assert page.complaints() == []


def test_a_drawing_in_the_place_of_a_photograph_is_not_seen(page, plant) -> None:
    away = see_head(plant, "H9", 6)[:2]  # the first ones: their looks end before the others'
    for image in away:
        (plant.folder / "images" / image).unlink()
    page.sign_in("ana", path="/sheet?machine=mill-8&head=H9")
    values = page.of_all("[data-confirmable] input", "e.value")
    there = {value for value in values if not any(value.split()[0] in image for image in away)}
    wait_until(lambda: int(page.text("#count")) >= len(there), what="the photographs that are there")
    assert set(page.of_all("input[name=shown]:checked", "e.value")) == there < set(values)
