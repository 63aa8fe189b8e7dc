"""Photographs reach a browser by capture, made small, and never as they lie in the store."""

import io
from uuid import UUID

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from db.evidence.evidence_map import EvidenceMap
from db.line import verdicts
from db.schema.tables import Captures
from producer.storage.opening import open_image_store
from tests.integration.conftest import on_both_engines
from tests.support import photograph

pytestmark = on_both_engines  # what it shows is asked of the database by itself


@pytest.fixture
def store(console):
    return open_image_store(console.settings.images_root)


def shown(line, store, data: bytes, **changes):
    digest = store.put("st-1/a.jpg", data)
    return line.see(1, outcome="intact", image="st-1/a.jpg", image_sha256=digest, **changes).capture_id


def test_a_photograph_is_made_small_and_asked_for_once(line, store, signed_in) -> None:
    capture = shown(line, store, photograph(size=1000))
    browser = signed_in("viewer")
    answer = browser.get(f"/photographs/{capture}/medium")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "private" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.content)).size == (640, 640)
    again = browser.get(f"/photographs/{capture}/medium", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert browser.get(f"/photographs/{capture}/small").headers["etag"] != answer.headers["etag"]


def test_a_thumbnail_shows_the_region(line, store, signed_in) -> None:
    region = {"left": 10, "top": 20, "width": 100, "height": 50}
    capture = shown(line, store, photograph(size=400), region=region)
    image = Image.open(io.BytesIO(signed_in("viewer").get(f"/photographs/{capture}/small").content))
    assert image.size == (100, 50)


def test_a_photograph_that_another_one_was_written_over_is_not_shown(line, store, signed_in) -> None:
    capture = shown(line, store, photograph(size=400))
    (store.root / "st-1/a.jpg").write_bytes(photograph(size=500))
    for size in ("small", "large"):
        answer = signed_in("viewer").get(f"/photographs/{capture}/{size}")
        assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
        assert "overwritten by another photograph" in answer.text


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "data",
    [SVG, b"", photograph()[:600], b"<html>", photograph(format="GIF")],
    ids=["svg", "empty", "cut", "html", "gif"],
)
def test_what_is_no_photograph_never_reaches_the_browser(line, store, signed_in, data) -> None:
    answer = signed_in("viewer").get(f"/photographs/{shown(line, store, data)}/large")
    assert answer.status_code == 404
    assert "no whole photograph" in answer.text
    assert "alert" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_a_missing_and_a_removed_photograph_say_so(line, console, signed_in) -> None:
    capture = line.see(1, outcome="intact").capture_id
    browser = signed_in("viewer")
    for of_share in ("is gone", "is not mounted: its folder is there, and empty"):
        away = browser.get(f"/photographs/{capture}/small")
        assert (away.status_code, "does not answer" in away.text) == (503, True), of_share
        console.images.root.mkdir(parents=True, exist_ok=True)
    (console.images.root / "station-1").mkdir()
    missing = browser.get(f"/photographs/{capture}/small")
    assert (missing.status_code, "not in the image store" in missing.text) == (404, True)
    with console.database.transaction() as session:
        session.execute(update(Captures).values(image="-"))
    removed = browser.get(f"/photographs/{capture}/small")
    assert (removed.status_code, "removed" in removed.text) == (410, True)


@pytest.mark.parametrize(
    "path",
    [
        "/photographs/0192f0c4-0000-7000-8000-000000000000/small",
        "/photographs/..%2f..%2fetc%2fpasswd/small",
        "/photographs/st-1/a.jpg",
        "/photographs/0192f0c4-0000-7000-8000-000000000000/huge",
        "/static/..%2f..%2fsettings.py",
        "/static/../settings.py",
    ],
)
def test_nothing_else_is_served(signed_in, path) -> None:
    assert signed_in("viewer").get(path).status_code in (400, 404)


def judged_with(line, store, data: bytes, evidence: bytes | None) -> UUID:
    capture = shown(line, store, data)
    line.model("m-1")
    with line.database.transaction() as session:
        verdicts.record(session, line.verdict(capture, "damaged", model_id="m-1", evidence=evidence))
    return capture


def test_where_a_verdict_came_from_is_drawn_over_its_photograph(line, store, signed_in) -> None:
    capture = judged_with(line, store, photograph(size=300), EvidenceMap(np.eye(5) - 0.5).packed())
    browser = signed_in("viewer")
    plain, drawn = (browser.get(f"/photographs/{capture}/{what}") for what in ("large", "evidence"))
    assert drawn.headers["content-type"] == "image/jpeg"
    images = [np.asarray(Image.open(io.BytesIO(answer.content)), int) for answer in (plain, drawn)]
    assert images[0].shape == images[1].shape
    assert np.abs(images[0] - images[1]).mean() > 10
    assert drawn.headers["etag"] != plain.headers["etag"]
    again = browser.get(f"/photographs/{capture}/evidence", **{"If-None-Match": drawn.headers["etag"]})
    assert again.status_code == 304
    item = signed_in("reviewer").get(f"/review/item?capture={capture}").json()
    assert item["evidence"] is True


def test_a_verdict_without_evidence_says_so(line, store, signed_in) -> None:
    capture = shown(line, store, photograph())
    answer = signed_in("viewer").get(f"/photographs/{capture}/evidence")
    assert (answer.status_code, "was not kept" in answer.text) == (404, True)
    assert signed_in("reviewer").get(f"/review/item?capture={capture}").json()["evidence"] is False


def test_evidence_that_is_damaged_is_no_photograph(line, store, signed_in) -> None:
    capture = judged_with(line, store, photograph(), b"nonsense")
    assert "no whole photograph" in signed_in("viewer").get(f"/photographs/{capture}/evidence").text
