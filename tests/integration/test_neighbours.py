"""The nearest learnt photographs, on a real labelled set and its stored features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.engine.database import Database
from db.learning import snapshots
from db.line import captures
from producer.storage.folder import FolderStore
from tests.learning_support import Reviewer, SmallNetwork, learning_in
from worker.features import catalogue
from worker.learning.neighbours import NEAREST, Learnt, NoNeighbours
from worker.learning.retrain import retrain

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@on_sqlite
def test_the_nearest_of_either_side_are_those_that_look_alike(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    reviewer = Reviewer(database, FolderStore(tmp_path / "images"))
    reviewed = reviewer.review(12)
    model = retrain(learning, force=True).model
    assert model is not None
    unseen = reviewer.capture(1)
    with database.reading() as session:
        known, new = (captures.find(session, capture) for capture in (reviewed[1], unseen))
        labels = {item.capture_id: item.label for item in snapshots.items(session, model.snapshot_id)}
    assert known is not None
    assert new is not None
    with Learnt(database, learning.features, model) as learnt:
        assert learnt.features_of(new) is None
        vector = learnt.features_of(known)
        assert vector is not None
        nearest = learnt.nearest(vector, known)
        assert [each.side for each in nearest] == NEAREST * ["intact"] + NEAREST * ["damaged"]
        assert known.capture_id not in {each.item.capture_id for each in nearest}
        assert all(labels[each.item.capture_id] == each.item.label for each in nearest)
        for side in ("intact", "damaged"):
            distances = [each.distance for each in nearest if each.side == side]
            assert distances == sorted(distances)
        assert nearest[NEAREST].distance < nearest[0].distance, "a dark one is nearer to dark ones"
        # A feature counts by its deviation, so that one with large numbers is not all that counts.
        store = catalogue.find(learning.features, model.fingerprint)
        assert store is not None
        rows = store.view(list(store.known()))[:]
        distances = np.linalg.norm((rows - vector) / rows.std(axis=0), axis=1)
        assert np.isclose(distances, nearest[0].distance, rtol=1e-3).any()
        assert np.isclose(np.sort(distances)[1], nearest[NEAREST].distance, rtol=1e-3)


@on_sqlite
def test_what_is_missing_is_said(database: Database, tmp_path: Path) -> None:
    learning = learning_in(tmp_path, database, SmallNetwork())
    Reviewer(database, FolderStore(tmp_path / "images")).review(12)
    model = retrain(learning, force=True).model
    assert model is not None
    with pytest.raises(NoNeighbours, match="is not recorded"):
        Learnt(database, learning.features, replace(model, snapshot_id=None))
    with pytest.raises(NoNeighbours, match="run this where the learner runs"):
        Learnt(database, tmp_path / "elsewhere", model)
    catalogue.begin(tmp_path / "empty", fingerprint=model.fingerprint, backbone="small:pixels", feature_size=192)
    with pytest.raises(NoNeighbours, match="none of the features"):
        Learnt(database, tmp_path / "empty", model)
