"""Which models learned from which snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import db.candidates
import db.models
import db.snapshots
from db.models import Model
from db.session import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def model(name: str, snapshot_id: str | None, minutes: int, fingerprint: str = "a" * 64) -> Model:
    made = NOON + timedelta(minutes=minutes)
    return Model(name, "b:l", fingerprint, made, ("intact", "damaged"), 10, {}, name, "0" * 64, snapshot_id)


def test_models_are_found_by_what_they_learned_from(database: Database) -> None:
    with database.transaction() as session:
        assert db.candidates.newest(session) is None
        snapshot = db.snapshots.take(session, NOON, []).snapshot_id
        made = [model("first", snapshot, 1), model("second", snapshot, 2), model("folder", None, 3)]
        for each in (*made, model("other", snapshot, 0, "b" * 64)):
            db.models.register(session, each)
        db.models.promote(session, "first", by="ana", reason="test", at=NOON)
        db.models.start_shadow(session, "second", by="ana", reason="test", at=NOON)
    with database.reading() as session:
        assert db.candidates.of_snapshot(session, snapshot, "a" * 64) == [made[1], made[0]]
        assert [each.model_id for each in db.candidates.of_snapshot(session, snapshot, "b" * 64)] == ["other"]
        assert db.candidates.of_snapshot(session, "nothing", "a" * 64) == []
        assert db.candidates.newest(session) == made[1]
        assert db.candidates.was_in_charge(session, "first")
        assert not db.candidates.was_in_charge(session, "second")


def test_who_was_in_charge_once_is_known_for_ever(database: Database) -> None:
    with database.transaction() as session:
        for name in ("first", "second"):
            db.models.register(session, model(name, None, 0))
            db.models.promote(session, name, by="ana", reason="test", at=NOON)
        assert db.candidates.was_in_charge(session, "first")
