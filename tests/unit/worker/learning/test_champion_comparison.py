"""Which labels are the newest: one by one, and of inserts that the champion has not seen."""

from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from db.learning.reviews import Labelled
from worker.learning.champion_comparison import Baseline, _newest_rows
from worker.learning.context import LabelledSet


def item(number: int, provenance: str) -> Labelled:
    return Labelled(
        capture_id=UUID(int=number),
        image=f"{number}.png",
        image_sha256=f"{number:064}",
        region=None,
        label="intact",
        insert_key=str(number),
        machine="mill-1",
        station="st-1",
        captured_at=datetime(2026, 11, 22, tzinfo=UTC),
        review_id=number,
        provenance=provenance,
    )


def test_labels_given_in_bulk_are_none_of_the_newest() -> None:
    items = tuple(item(number, "bulk" if number % 2 else "single") for number in range(20))
    some = np.zeros(20, np.int64)
    dataset = LabelledSet(items, tuple(str(number) for number in range(20)), some, np.arange(20))
    rows = _newest_rows(Baseline(None, ()), dataset)  # type: ignore[arg-type]  # its planes are not asked for
    assert [items[row].review_id for row in rows] == [10, 12, 14, 16, 18]
