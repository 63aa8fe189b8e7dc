"""Rendered photographs of one station, and faults of its camera and lamp drawn into them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from PIL import Image

from benchmarks.capture_faults import blurred, covered, exposed
from db.line.station_history import Photographed
from producer.simulation.head import labelled_images
from worker.images.decoding import UnusableImage, decode
from worker.images.measurements import Measurements, measure
from worker.line.blurred_or_dark import FEWEST, Usual, less_sharp, same_frame, unlike_usual

PLACE = ("mill-1", "H1", 3)
OTHER = ("mill-1", "H1", 4)


def images() -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in labelled_images(42, seed=5, size=512, head=7)]


def seen(image: Image.Image) -> Measurements:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return measure(decode(file.getvalue(), (224, 224)))


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    return images()


@pytest.fixture(scope="module")
def usual(photographs: list[Image.Image]) -> Usual:
    found = Usual.of(history(list(map(seen, photographs[:36]))))
    assert found is not None
    return found


def history(measured: list[Measurements]) -> list[Photographed]:
    places = [("mill-1", "H1", pocket) for pocket in range(1, len(measured) + 1)]
    return [
        Photographed(each.sharpness, each.brightness, each.frame, p) for each, p in zip(measured, places, strict=True)
    ]


def test_a_station_s_next_photographs_are_good_ones(photographs: list[Image.Image], usual: Usual) -> None:
    assert [unlike_usual(seen(image), usual) for image in photographs[36:]] == [None] * 6


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (partial(blurred, share=0.016), "blurred"),
        (partial(exposed, factor=1 / 16), "too dark"),
        (partial(exposed, factor=32), "burnt out"),
        (partial(covered, light=0.2), "the lens is covered"),
    ],
)
def test_clear_faults_are_found_and_named(
    photographs: list[Image.Image], usual: Usual, fault: Callable[[Image.Image], Image.Image], words: str
) -> None:
    for image in photographs[36:]:
        try:
            problem = unlike_usual(seen(fault(image)), usual)
        except UnusableImage as error:
            problem = str(error)
            assert "burnt out" in problem or "no contrast" in problem or "black" in problem
        else:
            assert problem is not None
            assert words in problem
            assert "take it again" in problem


def test_few_photographs_say_nothing_of_another() -> None:
    one = Photographed(500.0, 100.0, 1, PLACE)
    assert Usual.of([one] * (FEWEST - 1)) is None
    assert Usual.of([one] * FEWEST) is not None


def test_what_a_few_photographs_are_like_is_no_fault() -> None:
    """A station that looks at a few inserts of another kind: smooth, dark, far away."""
    usual = Usual.of(
        [Photographed(1000.0, 120.0, n, PLACE) for n in range(93)] + [Photographed(90.0, 30.0, 0, PLACE)] * 7
    )
    assert usual is not None
    rare = Measurements(sharpness=90.0, brightness=30.0, contrast=100, burnt=0, frame=0, sketch=bytes(256))
    assert unlike_usual(rare, usual) is None
    assert "too dark" in str(unlike_usual(replace(rare, brightness=29.0), usual))
    assert "blurred" in str(unlike_usual(replace(rare, sharpness=89.0), usual))


def test_a_person_looks_at_what_is_less_sharp_than_the_good_ones() -> None:
    usual = Usual.of([Photographed(1000.0 + n, 120.0, n, PLACE) for n in range(100)])
    assert usual is not None
    soft = Measurements(sharpness=690.0, brightness=120.0, contrast=100, burnt=0, frame=0, sketch=bytes(256))
    assert unlike_usual(soft, usual) is None
    assert "it has 66% of the sharpness that is usual" in str(less_sharp(soft, usual))
    assert less_sharp(replace(soft, sharpness=740.0), usual) is None
    of_two_kinds = Usual.of([Photographed(1000.0 if n else 600.0, 120.0, n, PLACE) for n in range(50)])
    assert of_two_kinds is not None
    assert less_sharp(replace(soft, sharpness=690.0), of_two_kinds) is None


def test_the_frame_before_it_again_is_a_fault_for_another_insert_only(usual: Usual) -> None:
    assert "pocket 3 of H1 on mill-1: is the camera stuck?" in str(same_frame(OTHER, 7, (7, PLACE), usual))
    assert same_frame(PLACE, 7, (7, PLACE), usual) is None, "handed in twice"
    assert same_frame(OTHER, 8, (7, PLACE), usual) is None
    assert same_frame(OTHER, 7, None, usual) is None


def test_where_photographs_are_used_again_and_again_repeating_one_is_no_fault() -> None:
    few = [Photographed(500.0, 100.0, n % 20, ("mill-1", "H1", n)) for n in range(60)]
    usual = Usual.of(few)
    assert usual is not None
    assert same_frame(OTHER, 7, (7, PLACE), usual) is None
    again = Usual.of([Photographed(500.0, 100.0, n % 30, ("mill-1", "H1", n % 30)) for n in range(60)])
    assert again is not None
    assert same_frame(OTHER, 7, (7, PLACE), again) is not None, "a folder that was handed in twice shows nobody else's"
