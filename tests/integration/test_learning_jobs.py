"""The three jobs of learning on real databases and real files, with a network of 8 × 8 pixels."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db.engine import migrate
from db.engine.database import Database
from db.learning import evaluations, model_registry, snapshots
from db.learning.model_registry import Model
from db.people import audit
from producer.storage.folder import FolderStore
from tests.learning_support import BEGAN, FINGERPRINT, NETWORK, Reviewer, SmallNetwork, learning_in, use_few_splits
from worker.features import catalogue
from worker.learning import evaluate as learning_evaluate
from worker.learning.context import Learning
from worker.learning.evaluate import ChampionChanged, decided, evaluate
from worker.learning.extract import extract_captures, plan, reextract
from worker.learning.lease import held
from worker.learning.retrain import retrain
from worker.models import store as model_store
from worker.models.costs import Costs
from worker.models.line_model import LINE_CLASSES
from worker.models.registry import NoNetwork

# What is the same on every engine is tested on one, because measuring takes seconds.
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _few_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    use_few_splits(monkeypatch)


@pytest.fixture
def network() -> SmallNetwork:
    return SmallNetwork()


@pytest.fixture
def learning(tmp_path: Path, database: Database, network: SmallNetwork) -> Learning:
    return learning_in(tmp_path, database, network)


@pytest.fixture
def reviewer(tmp_path: Path, database: Database) -> Reviewer:
    return Reviewer(database, FolderStore(tmp_path / "images"))


def in_charge(database: Database) -> str | None:
    with database.reading() as session:
        champion = model_registry.champion(session)
    return champion.model_id if champion else None


def promotions(database: Database) -> list[model_registry.Promotion]:
    with database.reading() as session:
        return model_registry.promotions(session)


def test_only_what_is_missing_is_extracted(
    learning: Learning, reviewer: Reviewer, network: SmallNetwork, tmp_path: Path
) -> None:
    assert reextract(learning).written == 0
    reviewer.review(6)
    unusable = reviewer.capture(0)
    reviewer.say(unusable, "unusable")
    lost = reviewer.capture(0)
    reviewer.say(lost, "intact")
    (image,) = (tmp_path / "images").rglob("14-*.jpg")
    image.unlink()
    result = reextract(learning)
    assert (result.written, [capture for capture, _ in result.unusable], network.seen) == (12, [lost], 12)
    assert reextract(learning).written == 0
    reviewer.review(1)
    assert [len(chunk) for chunk in plan(learning)] == [3]  # the lost one is tried again
    assert extract_captures(learning, plan(learning)[0]) is not None
    assert network.seen == 14


def test_a_chunk_that_another_process_is_at_is_left_to_it(learning: Learning, reviewer: Reviewer) -> None:
    captures = reviewer.review(4)
    store_name = {}

    class Meanwhile(SmallNetwork):
        def features_of(self, images):
            # Another process comes to the same chunk while this one is at it.
            store_name["other"] = extract_captures(learning, captures)
            return super().features_of(images)

    assert reextract(replace(learning, backbone=lambda: Meanwhile())).written == 8
    assert store_name == {"other": None}


def test_nothing_is_trained_before_there_is_enough(learning: Learning, reviewer: Reviewer) -> None:
    assert "no reviews" in retrain(learning).summary
    reviewer.review(4)
    assert "4 intact inserts" in retrain(learning).summary
    assert "4 intact inserts" in retrain(learning, force=True).summary
    for _ in range(12):
        reviewer.say(reviewer.capture(0), "intact")
    assert "4 damaged inserts" in retrain(learning).summary
    assert evaluate(learning) is None


def test_from_reviews_to_a_model_in_charge_and_nothing_twice(
    learning: Learning, reviewer: Reviewer, database: Database, network: SmallNetwork
) -> None:
    reviewer.review(20)
    first = retrain(learning)
    assert first.new
    assert first.model is not None
    assert first.model.trained_on == 40
    with database.reading() as session:
        assert first.model.snapshot_id == snapshots.latest(session).snapshot_id
    stored = model_store.read(learning.models / first.model.artefact, FINGERPRINT)
    assert stored.manifest.classifier_sha256 == first.model.digest
    assert stored.manifest.snapshot_id == first.model.snapshot_id
    assert stored.line_model().band is not None

    result = evaluate(learning)
    assert result is not None
    assert (result.model, result.promote, result.champion) == (first.model.model_id, True, None)
    (promotion,) = promotions(database)
    assert (promotion.model_id, promotion.by) == (first.model.model_id, "insert-worker learn")
    assert "above guessing" in promotion.reason
    assert "nobody is in charge yet" in promotion.reason
    with database.reading() as session:
        (entry,) = audit.recent(session)
    assert (entry.by, entry.action, entry.subject) == (promotion.by, "model promoted", promotion.model_id)

    written = (learning.models / first.model.artefact / "manifest.json").stat().st_mtime_ns
    again = retrain(learning, force=True)
    assert (again.new, again.model) == (False, first.model)
    assert evaluate(learning) == result
    assert promotions(database) == [promotion]
    assert network.seen == 40
    assert (learning.models / first.model.artefact / "manifest.json").stat().st_mtime_ns == written
    store = catalogue.find(learning.features, FINGERPRINT)
    assert store is not None
    assert len(store.known()) == 40


@on_sqlite
def test_more_reviews_make_a_candidate_that_is_held_against_the_champion(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    reviewer.review(20)
    first = retrain(learning).model
    evaluate(learning)
    reviewer.review(14)
    second = retrain(learning)
    assert second.new
    result = evaluate(learning)
    assert result is not None
    assert (result.champion, result.promote) == (first.model_id, True)  # type: ignore[union-attr]
    assert any("newest labels" in reason for reason in result.reasons)
    assert in_charge(database) == second.model.model_id  # type: ignore[union-attr]
    with database.reading() as session:
        kept = evaluations.of_model(session, result.model)
    assert kept is not None
    assert kept.at == result.at
    file = learning.evaluations / result.model / "evaluation.json"
    assert kept.report == json.loads(file.read_text("utf-8"))
    curve = kept.report["learning_curve"]
    assert curve[-1]["labels"] == kept.report["images"] == 68
    counts = [point["labels"] for point in curve]
    assert counts == sorted(set(counts))


@on_sqlite
def test_a_poisoned_labelled_set_is_not_promoted_and_not_tried_again(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    captures = reviewer.review(20)
    first = retrain(learning).model
    evaluate(learning)
    reviewer.shuffle([*captures, *reviewer.review(10)])
    poisoned = retrain(learning)
    assert poisoned.new
    refused = evaluate(learning)
    assert refused is not None
    assert not refused.promote
    assert refused.against
    assert in_charge(database) == first.model_id  # type: ignore[union-attr]
    measured_at = refused.at
    assert not retrain(learning, force=True).new
    assert evaluate(learning).at == measured_at  # type: ignore[union-attr]
    assert evaluate(learning, again=True).at > measured_at  # type: ignore[union-attr]
    assert in_charge(database) == first.model_id  # type: ignore[union-attr]


@on_sqlite
def test_poison_is_not_promoted_either_while_nobody_is_in_charge(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    reviewer.shuffle(reviewer.review(30))
    assert retrain(learning).new
    assert evaluate(learning).promote is False  # type: ignore[union-attr]
    assert in_charge(database) is None


@on_sqlite
def test_a_model_that_was_rolled_back_does_not_come_back_by_itself(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    reviewer.review(20)
    first = retrain(learning).model
    evaluate(learning)
    reviewer.review(14)
    second = retrain(learning).model
    evaluate(learning)
    with database.transaction() as session:
        model_registry.rollback(session, by="ana", reason="false alarms", at=datetime.now(UTC))
    evaluate(learning)
    retrain(learning, force=True)
    assert in_charge(database) == first.model_id  # type: ignore[union-attr]
    evaluate(learning, second.model_id, again=True)  # type: ignore[union-attr]
    assert in_charge(database) == second.model_id  # type: ignore[union-attr]


@on_sqlite
def test_a_decision_that_was_not_carried_out_is_carried_out_later(
    learning: Learning, reviewer: Reviewer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer.review(20)
    retrain(learning)

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model_registry, "promote", dies)
        with pytest.raises(KeyboardInterrupt):
            evaluate(learning)
    assert in_charge(database) is None
    result = evaluate(learning)
    assert result is not None
    assert in_charge(database) == result.model


@on_sqlite
def test_a_candidate_that_was_overtaken_while_it_was_measured_is_measured_anew(
    learning: Learning, reviewer: Reviewer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer.review(20)
    first = retrain(learning).model
    reviewer.review(14)
    second = retrain(learning).model
    assert first is not None
    assert second is not None
    write_report = learning_evaluate.write_report

    def meanwhile(*report: Any) -> Path:
        with database.transaction() as session:
            model_registry.promote(session, first.model_id, by="ana", reason="by hand", at=datetime.now(UTC))
        return write_report(*report)

    with monkeypatch.context() as patch:
        patch.setattr(learning_evaluate, "write_report", meanwhile)
        with pytest.raises(ChampionChanged):
            evaluate(learning)
    assert in_charge(database) == first.model_id
    result = evaluate(learning)
    assert result is not None
    assert result.champion == first.model_id


@on_sqlite
def test_other_costs_make_another_model_of_the_same_snapshot(learning: Learning, reviewer: Reviewer) -> None:
    reviewer.review(20)
    first = retrain(learning).model
    second = retrain(replace(learning, costs=Costs(missed_damaged=100.0)), force=True)
    assert second.new
    assert second.model.snapshot_id == first.snapshot_id  # type: ignore[union-attr]


@on_sqlite
def test_a_damaged_model_is_made_again_as_it_was(learning: Learning, reviewer: Reviewer) -> None:
    reviewer.review(20)
    first = retrain(learning).model
    assert first is not None
    (learning.models / first.artefact / model_store.CLASSIFIER_FILE).write_bytes(b"damaged")
    again = retrain(learning)
    assert (again.new, again.model.model_id) == (True, first.model_id)  # type: ignore[union-attr]
    stored = model_store.read(learning.models / first.artefact, FINGERPRINT)
    assert stored.manifest.classifier_sha256 == first.digest


@on_sqlite
def test_another_backbone_starts_a_generation_and_a_person_decides(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    class Other(SmallNetwork):
        fingerprint = "e" * 64

    reviewer.review(20)
    first = retrain(learning).model
    evaluate(learning)
    other = Other()
    changed = replace(learning, backbone=lambda: other)
    second = retrain(changed)  # the same labels, but no model of these features yet
    assert second.new
    assert other.seen == 40
    assert len(catalogue.all_stores(learning.features)) == 2
    refused = evaluate(changed)
    assert refused is not None
    assert not refused.promote
    assert "a person's decision" in refused.against[0]
    assert in_charge(database) == first.model_id  # type: ignore[union-attr]


@on_sqlite
def test_a_champion_of_before_networks_were_files_gives_way_to_the_first_good_model(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    """However few labels are new, and though no splits can compare the two."""
    captures = reviewer.review(12)
    learning = replace(learning, enough_new_labels=1000)
    row = {"classes": LINE_CLASSES, "trained_on": 9, "metrics": {}, "artefact": "old", "digest": "d" * 64}
    with database.transaction() as session:
        taken = snapshots.take(session, BEGAN)
        for name in ("old", "old candidate"):
            old = Model(name, "insertnet:features", "0" * 64, BEGAN, snapshot_id=taken.snapshot_id, **row)
            model_registry.register(session, old)
        model_registry.promote(session, "old", by="trainer", reason="better", at=BEGAN)
    assert evaluate(learning) is None, "neither of them can judge"
    with pytest.raises(NoNetwork, match="old candidate was made before networks were files"):
        evaluate(learning, "old candidate")

    reviewer.shuffle(captures)
    poor = retrain(learning)
    assert poor.new
    refused = evaluate(learning)
    assert refused is not None
    assert (refused.promote, in_charge(database)) == (False, "old")

    for capture in captures[::2]:
        reviewer.say(capture, "intact")
    for capture in captures[1::2]:
        reviewer.say(capture, "worn")
    good = retrain(learning).model
    assert good is not None
    assert good.network_digest == NETWORK
    promoted = evaluate(learning)
    assert promoted is not None
    assert "the champion old cannot judge: it was made before networks were files" in promoted.reasons
    assert in_charge(database) == good.model_id


@on_sqlite
def test_a_network_that_a_downgrade_lost_is_found_again(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    reviewer.review(12)
    model = retrain(learning, force=True).model
    assert model is not None
    assert evaluate(learning) is not None
    database.close()
    migrate.downgrade(database.url, "0004")
    migrate.upgrade(database.url)
    with database.reading() as session:
        assert model_registry.champion(session) == replace(model, network_digest=None)
    again = retrain(learning).model
    assert again is not None
    assert again.model_id == model.model_id
    with database.reading() as session:
        assert model_registry.champion(session) == model


@on_sqlite
def test_a_champion_of_a_folder_is_held_against_a_candidate_by_its_file(
    learning: Learning, reviewer: Reviewer, database: Database
) -> None:
    reviewer.review(20)
    model = retrain(learning).model
    assert model is not None
    stored = model_store.read(learning.models / model.artefact)
    manifest = model_store.save(
        learning.models / "folder",
        stored.classifier,
        backbone=model.backbone,
        fingerprint=FINGERPRINT,
        network=NETWORK,
        trained_on=40,
        settings={},
        metrics={},
        created_at=model.created_at,
    )
    row = replace(
        model, model_id=manifest.model_id, artefact="folder", digest=manifest.classifier_sha256, snapshot_id=None
    )
    with database.transaction() as session:
        model_registry.register(session, row)
        model_registry.promote(session, row.model_id, by="ana", reason="folder", at=datetime.now(UTC))
    result = evaluate(learning, model.model_id)
    assert result is not None
    assert result.champion == row.model_id
    assert any("against the champion's" in reason for reason in result.reasons)


def test_one_at_a_time(learning: Learning, reviewer: Reviewer, database: Database) -> None:
    reviewer.review(20)
    with held(database, "retrain") as mine:
        assert mine
        assert retrain(learning).summary == "another process is training"
    retrain(learning)
    with held(database, "evaluate"):
        assert evaluate(learning) is None
    assert decided(learning.evaluations, "nothing") is None
