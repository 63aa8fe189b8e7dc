"""Where nobody scrolls: a board on the wall of many heads, and Replace now on paper."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import uuid6
from sqlalchemy import update

from db.queries import head_overview
from db.schema.tables import Models
from tests.support import wait_until

WALL: Final = {"width": 1920, "height": 1080, "deviceScaleFactor": 1, "mobile": False}

OF_SERVER: Final = """const asked = new XMLHttpRequest(), page = document.createElement("template").content;
asked.open("GET", "/line/heads", false);
asked.send();
page.append(document.createRange().createContextualFragment(asked.responseText));"""
"""The heads as the server draws them now, which no script has counted."""

A4: Final = {"paperWidth": 8.27, "paperHeight": 11.69}
"""In inches."""


def judged(plant: Any, machine: str, pockets: int, decision: float) -> None:
    """Photograph a head H1 now, each pocket with a photograph of its own, and judge it so."""
    photo, check = next((plant.folder / "images").rglob("*.jpg")).read_bytes(), uuid6.uuid7()
    begun = datetime.now(UTC) - timedelta(seconds=pockets)
    for pocket in range(1, pockets + 1):
        at, own = begun + timedelta(seconds=pocket), photo + str(uuid6.uuid7()).encode()
        capture = plant.capture(machine, "H1", pocket, pockets, "op-0001", check, at, own)
        plant.judge(capture, decision, at)


@pytest.mark.parametrize("damaged", [1, 4, 11])
def test_a_wall_shows_all_of_twenty_heads_and_first_what_needs_a_person(page, plant, damaged) -> None:
    for number in range(10, 27):  # beside three
        judged(plant, f"mill-{number}", 1, 3.0 if number >= 27 - damaged else -3.0)
    with plant.database.transaction() as session:
        known = [place for place in head_overview.heads(session) if place != ("mill-11", "H1")]
        session.execute(update(Models).values(metrics={"labelled_set": {"heads": known}}))
    page.sign_in(path=None)
    page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", WALL)
    try:
        page.open("/board")
        wait_until(lambda: page.text("#tally [data-state=go]") == f"{17 - damaged} GO")
        tops = {of: page.of_all(f".card{of}", "e.getBoundingClientRect().top") for of in (".replace", ".go")}
        assert max(tops[".replace"]) <= min(tops[".go"])
        assert max(page.of_all(".card", "e.getBoundingClientRect().bottom")) <= 1080
        assert page.of_all(".caution", "e.offsetHeight > 0") == [True], "of a GO that the model knows by likeness only"
        assert page.texts("#tally [data-state]")[0].endswith("REPLACE")
        judged(plant, "mill-10", 1, 3.0)
        wait_until(lambda: page.text("#tally [data-state=go]") == f"{16 - damaged} GO", what="what is damaged now")
        # How small the heads are the page knows by itself as the server does.
        crowd = "return document.querySelector('.cards').className"
        assert page.script(crowd) == page.script(f"{OF_SERVER} {crowd.replace('document', 'page')}")
        assert page.script(crowd).split()[1:] == {1: ["many", "busy"]}.get(damaged, ["many", "crowded"])
        assert max(page.of_all(".card", "e.getBoundingClientRect().bottom")) <= 1080
        page.server.kill()
        wait_until(lambda: page.shows("#lost"), 30, "the banner")
        assert not page.shows("#tally"), "it would go on to say GO"
    finally:
        page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


WRITING: Final = """const writes = (element) => [...element.childNodes].some((node) => node.data?.trim());
return [...document.querySelectorAll("body *:not(script, svg, svg *)")]
  .filter((each) => each.checkVisibility() && writes(each))
  .map((each) => [`${each.tagName} ${each.className}`, parseFloat(getComputedStyle(each).fontSize)]);"""
"""All that is written on a page, with the size of its letters."""


def test_what_is_written_on_a_wall_is_as_large_a_part_of_a_screen_of_four_times_the_pixels(page, plant) -> None:
    plant.fault()
    plant.spoilt_station()
    page.sign_in(path=None)
    written = []
    try:
        for times in (1, 2):
            wall = {**WALL, "width": times * WALL["width"], "height": times * WALL["height"]}
            page.chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", wall)
            page.open("/board")
            page.complete("document.querySelectorAll('.card').length === 3")
            written.append([(name, pixels / times) for name, pixels in page.script(WRITING)])
            height = page.script("return document.documentElement.scrollHeight")
            assert height == wall["height"], "nobody scrolls a wall"
    finally:
        page.chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    small, large = written
    assert len(small) > 20
    assert [name for name, _ in small] == [name for name, _ in large]
    assert {
        name: (here, there) for (name, here), (_, there) in zip(small, large, strict=True) if there < 0.98 * here
    } == {}


def test_thirty_inserts_of_a_head_are_one_page_of_paper(page, plant) -> None:
    judged(plant, "mill-9", 30, 3.0)
    page.sign_in(path="/replace?machine=mill-9")
    wait_until(lambda: len(page.texts(".sheet-list li")) == 30)
    printed = base64.b64decode(page.chromium.execute_cdp_cmd("Page.printToPDF", A4)["data"])
    assert len(re.findall(rb"/Type\s*/Page\b[^s]", printed)) == 1
