"""Whether a line learns along the edge of cut-outs: chosen by cross-validation, and kept to by its champion."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from db.engine.database import Database
from db.learning import model_registry
from db.learning.model_registry import Model
from tests.cut_out_pictures import metal, saved
from tests.integration.conftest import on_one_engine
from tests.network_support import BACKBONE
from worker.learning import found_edge
from worker.learning.backbone_comparison import LabelledPhoto
from worker.learning.folder_import import Photographs
from worker.learning.found_edge import backbone_in_use, choose
from worker.models.line_model import LINE_CLASSES
from worker.networks.names import parse_network_name
from worker.runtime.progress import silent
from worker.settings import WorkerSettings

ALONG = str(parse_network_name(BACKBONE).along_edge)
SIZE = (900, 500)


def edge(worn: bool, seed: int) -> Image.Image:
    """An insert on black with a bright stripe: along its lower contour where it is worn, anywhere else where not."""
    rng = np.random.default_rng([seed, worn])
    slope, down, thick = rng.choice([-1, 1]) * rng.uniform(0.06, 0.14), rng.uniform(330, 400), rng.uniform(170, 250)
    left, right = rng.uniform(15, 110), rng.uniform(790, 885)

    def at(x: float, above: float) -> tuple[float, float]:
        return x, down + slope * (x - 450) - above

    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).polygon([at(left, 0), at(right, 0), at(right, thick), at(left, thick)], fill=255)
    light = rng.uniform(0.6, 1.2)
    image = metal(SIZE, seed).point(lambda grey: int(grey * light))
    draw = ImageDraw.Draw(image)
    for above in [5 if worn else 60, *rng.uniform(60, thick - 20, rng.integers(1, 7))]:
        draw.line([at(left, above), at(right, above)], (int(190 * light),) * 3, int(rng.integers(3, 8)))
    return ImageChops.multiply(image, Image.merge("RGB", [mask] * 3))


def photographs(folder: Path, count: int, *, cut: bool = True) -> Photographs:
    photos = []
    for number in range(count):
        label = ("intact", "worn")[number % 2]
        photo = LabelledPhoto(folder / f"{number}.jpg", label, str(number))
        picture = edge(label == "worn", number) if cut else metal(SIZE, number)
        photo.path.write_bytes(saved(picture, "JPEG"))
        photos.append(photo)
    return Photographs(tuple(photos), (), ())


@on_one_engine
def test_the_edge_is_chosen_where_it_is_better_beyond_chance(
    networks: Path, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_edge, "REPEATS", 3)
    settings = WorkerSettings(data=tmp_path, backbone=BACKBONE, networks=str(networks))
    taken = photographs(tmp_path, 48)
    chosen = choose(taken, settings, database, silent)
    assert chosen is not None
    assert chosen.backbone == ALONG, chosen.reason
    assert "it learns along the edge" in chosen.reason
    few = Photographs(taken.photos[:2], (), ())
    assert choose(few, settings, database, silent) is None, "too few to compare"
    monkeypatch.setattr(found_edge, "MOST_PHOTOGRAPHS", 47)
    assert choose(taken, settings, database, silent) is None, "too many"


@on_one_engine
def test_whole_photographs_and_unpooled_layers_leave_nothing_to_choose(database: Database, tmp_path: Path) -> None:
    settings = WorkerSettings(data=tmp_path, backbone=BACKBONE)
    assert choose(photographs(tmp_path, 20, cut=False), settings, database, silent) is None
    unpooled = WorkerSettings(data=tmp_path, backbone="vgg16:fc1")
    assert choose(photographs(tmp_path, 20), unpooled, database, silent) is None


@on_one_engine
def test_a_line_whose_champion_looks_along_the_edge_goes_on_so(database: Database, tmp_path: Path) -> None:
    assert backbone_in_use(BACKBONE, database) == BACKBONE
    now = datetime.now(UTC)
    with database.transaction() as session:
        for name, backbone in (("whole", BACKBONE), ("along", ALONG)):
            row = Model(name, backbone, name * 12, now, LINE_CLASSES, 9, {}, name, "d" * 64, network_digest="e" * 64)
            model_registry.register(session, row)
        model_registry.promote(session, "whole", by="trainer", reason="better", at=now)
    assert backbone_in_use(BACKBONE, database) == BACKBONE
    with database.transaction() as session:
        model_registry.promote(session, "along", by="trainer", reason="better", at=now)
    assert backbone_in_use(BACKBONE, database) == ALONG
    assert backbone_in_use("efficientnet_lite0:block4_out+gap", database) == "efficientnet_lite0:block4_out+gap"
    settings = WorkerSettings(data=tmp_path, backbone=BACKBONE)
    assert choose(photographs(tmp_path, 20), settings, database, silent) is None
