"""Reviewed captures for tests of learning: photographs that a network can tell apart, in a database and a store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

import db.line.captures
from db.engine.database import Database
from db.learning import reviews
from db.line.captures import Capture
from producer.contract.event import new_id
from producer.storage.folder import FolderStore
from tests.support import photograph
from worker.evaluation import learning_curve
from worker.learning import evaluate as learning_evaluate
from worker.learning.context import Learning
from worker.models import candidate
from worker.models.costs import Costs

FINGERPRINT = "f" * 64
NETWORK = "e" * 64
BEGAN = datetime(2026, 11, 1, 8, tzinfo=UTC)


def use_few_splits(monkeypatch: pytest.MonkeyPatch, splits: int = 2) -> None:
    """Have a model measured on so many splits of each kind, its learning curve on one, and C chosen from two values.

    More only take longer: how C is chosen is asked in `tests/unit/worker/models/test_candidate.py`.
    """
    monkeypatch.setattr(learning_evaluate, "REPEATS", splits)
    monkeypatch.setattr(learning_curve, "REPEATS", 1)
    monkeypatch.setattr(candidate, "STRENGTHS", candidate.STRENGTHS[1:3])


class SmallNetwork:
    """Looks at 8 × 8 pixels; in everything else what a backbone is to learning."""

    name = "small:pixels"
    fingerprint = FINGERPRINT
    digest = NETWORK
    feature_size = 8 * 8 * 3
    input_size = (8, 8)

    def __init__(self) -> None:
        self.seen = 0

    def features_of(self, images):
        self.seen += len(images)
        return np.stack(images).reshape(len(images), -1).astype(np.float32) / 255


class Reviewer:
    """Records captures of bright (intact) and dark (worn) inserts, each in a pocket of its own, and reviews them."""

    def __init__(self, database: Database, images: FolderStore):
        self._database = database
        self._images = images
        self._count = 0

    def capture(self, side: int) -> UUID:
        """Record one capture that nobody has reviewed."""
        self._count += 1
        number = self._count
        photo = photograph((170, 80)[side], seed=number, size=32)
        key = f"station-1/{number}-{new_id()}.jpg"
        self._images.put(key, photo)
        capture = Capture(
            capture_id=new_id(),
            captured_at=BEGAN + timedelta(minutes=number),
            station="station-1",
            machine="mill-1",
            head=f"H{number // 30}",
            pocket=number % 30 + 1,
            operation="op-1",
            check_id=new_id(),
            check_size=1,
            image=key,
            image_sha256=hashlib.sha256(photo).hexdigest(),
        )
        with self._database.transaction() as session:
            db.line.captures.record(session, capture, capture.captured_at)
        return capture.capture_id

    def say(self, capture: UUID, label: str) -> None:
        with self._database.transaction() as session:
            reviews.add(session, capture_id=capture, label=label, by="ana", at=datetime.now(UTC))

    def review(self, each: int, labels: tuple[str, str] = ("intact", "worn")) -> list[UUID]:
        """So many captures of each side, reviewed as what they are, or with `labels` for intact and for worn ones."""
        captures = [(self.capture(side), labels[side]) for _ in range(each) for side in (0, 1)]
        for capture, label in captures:
            self.say(capture, label)
        return [capture for capture, _ in captures]

    def shuffle(self, captures: Sequence[UUID], seed: int = 1) -> None:
        """Review these captures anew with labels that have nothing to do with what they show."""
        labels = np.random.default_rng(seed).permutation(["intact", "worn"] * (len(captures) // 2))
        for capture, label in zip(captures, labels, strict=True):
            self.say(capture, str(label))


def learning_in(folder: Path, database: Database, network: SmallNetwork, enough: int = 20) -> Learning:
    return Learning(
        database=database,
        images=FolderStore(folder / "images"),
        features=folder / "features",
        models=folder / "models",
        evaluations=folder / "evaluations",
        backbone=lambda: network,
        costs=Costs(),
        enough_new_labels=enough,
    )
