"""A small line to ask questions about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uuid6

from db.engine.database import Database
from db.learning import model_registry, reviews
from db.learning.model_registry import Model
from db.learning.reviews import Review
from db.line import captures, verdicts
from db.line.captures import Capture
from db.line.verdicts import Verdict
from tests.database_support import id_at

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@dataclass
class Line:
    """Records captures, verdicts and models in a database, each with a default for what a test does not care about.

    The ids of captures rise as their station's clock does.
    """

    database: Database
    check_id: UUID = field(default_factory=uuid6.uuid7)

    def capture(self, pocket: int = 1, minute: float = 0, **changes: Any) -> Capture:
        """A new capture, not recorded yet."""
        captured_at = changes.get("captured_at", T0 + timedelta(minutes=minute))
        values: dict[str, Any] = {
            "capture_id": id_at(captured_at),
            "captured_at": captured_at,
            "station": "st-1",
            "machine": "mill-1",
            "head": "head-1",
            "pocket": pocket,
            "operation": "op-10",
            "check_id": self.check_id,
            "check_size": 2,
            "image": "2026/11/22/a.png",
            "image_sha256": hashlib.sha256(uuid6.uuid7().bytes).hexdigest(),  # no camera takes one twice
        }
        return Capture(**(values | changes))

    def see(self, pocket: int = 1, minute: float = 0, outcome: str | None = None, **changes: Any) -> Capture:
        """Record a capture, and a verdict on it where an outcome is given."""
        capture = self.capture(pocket, minute, **changes)
        with self.database.transaction() as session:
            captures.record(session, capture, capture.captured_at)
            if outcome is not None:
                verdicts.record(session, self.verdict(capture.capture_id, outcome))
        return capture

    def verdict(self, capture_id: UUID, outcome: str = "intact", **changes: Any) -> Verdict:
        """A verdict, not recorded yet."""
        values: dict[str, Any] = {
            "model_id": None,
            "label": None,
            "reason": None,
            "decision": 0.25,
            "judged_at": T0 + timedelta(hours=1),
            "seconds": 0.5,
        }
        return Verdict(capture_id=capture_id, outcome=outcome, **(values | changes))

    def model(self, model_id: str, **changes: Any) -> Model:
        """A registered model."""
        values: dict[str, Any] = {
            "backbone": "vgg16:fc1",
            "fingerprint": "f" * 64,
            "created_at": T0,
            "classes": ("damaged", "intact"),
            "trained_on": 210,
            "metrics": {"accuracy": [0.9, 0.95], "note": None},
            "artefact": model_id,
            "digest": "d" * 64,
        }
        model = Model(model_id=model_id, **(values | changes))
        with self.database.transaction() as session:
            model_registry.register(session, model)
        return model

    def say(self, capture: Capture, label: str, **changes: Any) -> Review:
        """A review of a capture."""
        values: dict[str, Any] = {"by": "ana", "at": T0 + timedelta(hours=2)}
        with self.database.transaction() as session:
            return reviews.add(session, capture_id=capture.capture_id, label=label, **(values | changes))


@pytest.fixture
def line(database: Database) -> Line:
    return Line(database)


@pytest.fixture
def terminal(no_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A wide terminal in a folder of the test's own, at which ana is logged in."""
    monkeypatch.setenv("LOGNAME", "ana")  # as getpass reads it
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def hash_with_least_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login as somebody who has no account takes as long as any: a fifth of a second, fifty times in some tests."""
    from producer.configuration.passwords import PasswordHashes
    from tests.console_support import LEAST_EFFORT  # with FastAPI

    monkeypatch.setattr("db.people.accounts._PASSWORDS", PasswordHashes(LEAST_EFFORT))


@pytest.fixture
def start() -> datetime:
    """The moment that the line's minutes count from."""
    return T0
