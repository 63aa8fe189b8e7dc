"""Sketches of one fixed camera's photographs: rendered inserts, the same shifted, and an empty pocket."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from producer.runtime.arrays import Float64Array
from producer.simulation.head import labelled_images
from worker.images.measurements import SQUARES, measure
from worker.line.moved_or_empty import EXAMPLES, TOGETHER, Scene

WINDOW = 180


def sketch(image: Image.Image, right: int = 0, down: int = 0) -> bytes:
    """What a camera sees of a rendered photograph of 256 pixels a side, moved by so many pixels."""
    left, top = 38 + right, 38 + down
    return measure(np.asarray(image.crop((left, top, left + WINDOW, top + WINDOW)).resize((224, 224)))).sketch


def empty(seed: int) -> bytes:
    """A seat with a hole, and noise."""
    image = Image.new("L", (256, 256), 90 + 5 * seed)
    ImageDraw.Draw(image).ellipse((100 + seed, 90, 180 + seed, 170), fill=20)
    noise = np.random.default_rng(seed).normal(0, 4, (256, 256))
    return sketch(Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)).convert("RGB"))


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    return [Image.open(io.BytesIO(data)).convert("RGB") for data, _ in labelled_images(50, seed=5, size=256, head=1)]


@pytest.fixture(scope="module")
def scene(images: list[Image.Image]) -> Scene:
    return Scene.of([sketch(image) for image in images[:40]], [empty(seed) for seed in range(EXAMPLES)])


def seen(scene: Scene, images: list[Image.Image], right: int = 0, down: int = 0) -> list[Float64Array]:
    return [scene.seen(sketch(image, right, down)) for image in images]


def test_a_sketch_is_of_contours_whichever_side_of_them_is_brighter(images: list[Image.Image]) -> None:
    inverted = Image.fromarray(255 - np.asarray(images[0]))
    one, other = (np.frombuffer(sketch(image), np.uint8).astype(float) for image in (images[0], inverted))
    assert len(one) == SQUARES**2
    assert np.corrcoef(one, other)[0, 1] > 0.99


def test_the_next_photographs_of_a_fixed_camera_are_good_ones(scene: Scene, images: list[Image.Image]) -> None:
    assert scene.moved(seen(scene, images[40:45])) is None
    assert [scene.empty(sketch(image), scene.seen(sketch(image))) for image in images[40:]] == [None] * 10


@pytest.mark.parametrize(("right", "down"), [(36, 0), (-36, 0), (0, 36), (0, -36)])
def test_a_moved_camera_is_told_by_some_photographs_in_a_row(
    scene: Scene, images: list[Image.Image], right: int, down: int
) -> None:
    shifted = seen(scene, images[40:50], right, down)
    problem = scene.moved(shifted)
    assert "the camera has moved" in str(problem)
    assert "take the photograph again" in str(problem)
    assert scene.moved(shifted[: TOGETHER - 1]) is None, "too few to say"


def test_once_the_camera_is_back_the_moved_photographs_before_say_nothing(
    scene: Scene, images: list[Image.Image]
) -> None:
    before = seen(scene, images[40:44], right=36)
    back = [scene.moved([*before, each]) for each in seen(scene, images[44:])]
    assert back.count(None) >= 5


def test_what_is_usual_for_a_camera_that_is_held_by_hand_is_no_move(images: list[Image.Image]) -> None:
    places = np.random.default_rng(0).integers(-38, 39, (40, 2))
    scene = Scene.of([sketch(image, *place) for image, place in zip(images, places.tolist(), strict=False)], [])
    rows = [seen(scene, images[40:45], *place) for place in places[:10].tolist()]
    assert [scene.moved(row) for row in rows] == [None] * 10


def test_an_empty_pocket_is_told_by_a_few_examples(scene: Scene, images: list[Image.Image]) -> None:
    new = empty(9)
    assert "no insert in the pocket" in str(scene.empty(new, scene.seen(new)))
    untaught = Scene.of([sketch(image) for image in images[:40]], [empty(seed) for seed in range(EXAMPLES - 1)])
    assert untaught.empty(new, untaught.seen(new)) is None


def test_a_good_photograph_that_was_called_unusable_by_mistake_refuses_no_other(images: list[Image.Image]) -> None:
    good = [sketch(image) for image in images[:40]]
    scene = Scene.of(good, good[:EXAMPLES])
    assert [scene.empty(each, scene.seen(each)) for each in good[EXAMPLES:]] == [None] * (40 - EXAMPLES)
