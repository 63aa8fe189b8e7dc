from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from db.learning.learnt_heads import MOST_HEADS, heads_of, learnt_heads
from db.learning.model_registry import Model
from db.learning.reviews import Labelled
from producer.contract.names import IMPORTED

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def of(machine: str, head: str) -> Labelled:
    return Labelled(uuid4(), "i.jpg", "a" * 64, None, "worn", "life", machine, "station-1", NOON, 1, head=head)


def model(metrics: dict[str, Any]) -> Model:
    return Model("m", "b:l", "f" * 64, NOON, ("intact", "damaged"), 10, metrics, "m", "d" * 64)


def test_each_head_of_the_line_counts_once_and_a_folder_is_none() -> None:
    heads = heads_of([of("mill-2", "H1"), of("mill-1", "H7"), of("mill-2", "H1"), of(IMPORTED, "bench")])
    assert heads == [["mill-1", "H7"], ["mill-2", "H1"]]
    assert learnt_heads(model({"labelled_set": {"heads": heads}})) == {("mill-1", "H7"), ("mill-2", "H1")}
    assert heads_of([of(IMPORTED, "bench")]) == []


def test_of_too_many_and_of_a_model_of_before_it_is_not_known() -> None:
    assert heads_of([of("mill-1", f"H{number}") for number in range(MOST_HEADS + 1)]) is None
    for metrics in ({}, {"labelled_set": {"images": 10}}, {"labelled_set": {"heads": None}}):
        assert learnt_heads(model(metrics)) is None
