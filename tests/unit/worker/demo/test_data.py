from __future__ import annotations

from pathlib import Path

import pytest

from producer.simulation.head import write_labelled_folder
from worker.dataset.labelled_folder import DatasetError
from worker.demo.data import divide


def test_what_no_training_would_take_is_refused_at_once(tmp_path: Path) -> None:
    write_labelled_folder(tmp_path / "few", 12, seed=1, size=64)
    with pytest.raises(DatasetError, match=r"few: the 70% to learn from are 4 intact .*; a training needs 5 of each"):
        divide(tmp_path / "few", tmp_path / "demo", seed=1)
    assert not (tmp_path / "demo").exists(), "nothing is begun"


def test_seventy_percent_of_enough_are_learned_from(tmp_path: Path) -> None:
    write_labelled_folder(tmp_path / "enough", 24, seed=1, size=64)
    (tmp_path / "demo").mkdir()
    divided = divide(tmp_path / "enough", tmp_path / "demo", seed=1)
    assert (divided.learnt, divided.shown) == (16, 8)
