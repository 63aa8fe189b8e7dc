"""Which models learned from which snapshot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db.engine.database import Database
from db.learning import candidates, model_registry, snapshots
from db.learning.model_registry import Model

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def model(name: str, snapshot_id: str | None, minutes: int, fingerprint: str = "a" * 64) -> Model:
    made = NOON + timedelta(minutes=minutes)
    return Model(name, "b:l", fingerprint, made, ("intact", "damaged"), 10, {}, name, "0" * 64, snapshot_id)


def test_models_are_found_by_what_they_learned_from(database: Database) -> None:
    with database.transaction() as session:
        assert candidates.newest(session) is None
        snapshot = snapshots.take(session, NOON, []).snapshot_id
        made = [model("first", snapshot, 1), model("second", snapshot, 2), model("folder", None, 3)]
        for each in (*made, model("other", snapshot, 0, "b" * 64)):
            model_registry.register(session, each)
        model_registry.promote(session, "first", by="ana", reason="test", at=NOON)
        model_registry.start_shadow(session, "second", by="ana", reason="test", at=NOON)
    with database.reading() as session:
        assert candidates.of_snapshot(session, snapshot, "a" * 64) == [made[1], made[0]]
        assert [each.model_id for each in candidates.of_snapshot(session, snapshot, "b" * 64)] == ["other"]
        assert candidates.of_snapshot(session, "nothing", "a" * 64) == []
        assert candidates.newest(session) == made[1]
        assert candidates.was_in_charge(session, "first")
        assert not candidates.was_in_charge(session, "second")


def test_who_was_in_charge_once_is_known_for_ever(database: Database) -> None:
    with database.transaction() as session:
        for name in ("first", "second"):
            model_registry.register(session, model(name, None, 0))
            model_registry.promote(session, name, by="ana", reason="test", at=NOON)
        assert candidates.was_in_charge(session, "first")
