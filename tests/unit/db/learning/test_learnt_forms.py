from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from db.learning.learnt_forms import forms_of, learnt_forms
from db.learning.model_registry import Model
from db.learning.reviews import Labelled

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
BOX = {"left": 1, "top": 2, "width": 30, "height": 40}
EDGE = {"x1": 0, "y1": 40, "x2": 60, "y2": 40, "above": 20, "below": 20}
POLYGON = {"polygon": [[0, 0], [60, 0], [0, 60]]}


def cut(region: Mapping[str, Any] | None) -> Labelled:
    return Labelled(uuid4(), "i.jpg", "a" * 64, region, "worn", "life", "mill-1", "station-1", NOON, 1)


def model(metrics: dict[str, Any]) -> Model:
    return Model("m", "b:l", "f" * 64, NOON, ("intact", "damaged"), 10, metrics, "m", "d" * 64)


def test_a_box_is_cut_as_the_whole_photograph_is() -> None:
    assert forms_of(map(cut, [None, BOX, EDGE, EDGE, POLYGON])) == {"box": 2, "edge": 2, "polygon": 1}


@pytest.mark.parametrize(
    ("counts", "learnt"),
    [
        ({"box": 400, "edge": 9}, {"box"}),
        ({"box": 400, "edge": 10}, {"box", "edge"}),
        ({"polygon": 3, "edge": 6}, {"edge"}),
        (None, {"box"}),
    ],
)
def test_a_form_is_learnt_from_ten_or_half_and_before_there_were_others_it_is_the_box(
    counts: dict[str, int] | None, learnt: set[str]
) -> None:
    assert learnt_forms(model({"labelled_set": {"forms": counts} if counts else {"images": 9}})) == learnt
    assert learnt_forms(model({})) == {"box"}
