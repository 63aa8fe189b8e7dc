from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.engine.database import Database
from db.people import accounts
from producer.simulation.head import write_labelled_folder
from tests.database_support import new_sqlite
from worker.dataset.labelled_folder import DatasetError
from worker.demo.data import MARKER, divide, fresh_folder


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


def test_a_demo_in_which_people_have_been_is_kept_and_another_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert fresh_folder(folder) is None
    new_sqlite(folder / "inserts.db")
    assert fresh_folder(folder) is None
    assert not (folder / "inserts.db").exists(), "nobody was there"
    database = Database(new_sqlite(folder / "inserts.db"))
    with closing(database), database.transaction() as session:
        accounts.add(session, "ana", "administrator", "a long password", datetime.now(UTC))
    kept = fresh_folder(folder)
    assert kept is not None
    assert (kept / "inserts.db").exists()
    assert list(folder.iterdir()) == [folder / MARKER]
