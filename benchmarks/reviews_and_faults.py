"""Reviews, faults and verdicts of several models, added to a made-up plant's history.

The line begins without a model, so the first captures are `unsure` and people review them. After that four models are
champion in turn, each for a quarter of the history. A capture that was `unsure` is reviewed an hour later; of the sure
verdicts one in some hundreds is reviewed, and some of these reviews disagree with it. The last hours are not finished:
some captures wait for a review, some faults are open.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from statistics import mean
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update

import db.line.faults
from benchmarks.history import BEGIN, BETWEEN_CHECKS, POCKETS
from benchmarks.records import CAPTURE_COLUMNS, MODEL, VERDICT_COLUMNS, JudgedCapture, Rows, capture_row, verdict_row
from db.engine.database import Database
from db.learning import model_registry
from db.line import pockets
from db.schema.tables import Captures, Checks, Pockets
from worker.networks.default_backbone import DEFAULT_BACKBONE

MODELS: Final = (MODEL, "history-model-2", "history-model-3", "history-model-4")
"""Who is in charge, each for a quarter of the captures."""

WITHOUT_MODEL: Final = 1 / 500
"""The share of the captures, the first ones, that no model has judged."""

JUDGED_AGAIN: Final = 1 / 200
"""The share of the captures that the model before has judged too."""

LOOKED_AT: Final = 1 / 400
"""The share of the sure verdicts that a person has looked at."""

DISAGREES: Final = 1 / 20
"""The share of those reviews that say the opposite of the verdict."""

FAULTY: Final = 1 / 2_000
"""The share of the captures that had a fault before they were judged."""

NOT_DONE: Final = 3_000
"""Of so many of the last captures nothing has been looked at, and faults are still open."""

LOST: Final = 5_000
"""Of one in so many checks a photograph never came."""

PEOPLE: Final = ("ana", "ben", "carla", "dimitri")

_REVIEWED_COLUMNS = (*CAPTURE_COLUMNS, "review")
_REVIEW_COLUMNS = ("capture_id", "label", '"by"', "at", "note")
_FAULT_COLUMNS = (
    *("subject", "capture_id", "station", "check_id", "pocket", "reason", "detail", "event"),
    *("first_at", "last_at", "count", "state"),
)


class People:
    """Turns the captures of a history of that many into rows; blocks are to be given in order."""

    def __init__(self, captures: int, seed: int = 1):
        """The same seed and number give the same rows."""
        self._captures = captures
        self._rng = random.Random(seed)  # noqa: S311 - people, not a secret
        self._number = 0

    def rows_of(self, block: Sequence[JudgedCapture]) -> Iterable[Rows]:
        """The rows of captures, verdicts, reviews and faults."""
        captures: list[tuple[Any, ...]] = []
        verdicts: list[tuple[Any, ...]] = []
        reviews: list[tuple[Any, ...]] = []
        faults: list[tuple[Any, ...]] = []
        for seen in block:
            capture, model = self._judged(seen)
            said = self._said(capture)
            captures.append((*capture_row(capture), said[-1] if said else None))
            if model not in (None, MODELS[0]) and self._rng.random() < JUDGED_AGAIN:
                before = capture._replace(outcome="unsure", decision=0.0, reason="too close to the boundary")
                verdicts.append(verdict_row(before, MODELS[MODELS.index(model) - 1], current=False))
            verdicts.append(verdict_row(capture, model))
            reviews += [self._review(capture, label) for label in said]
            if self._rng.random() < FAULTY:
                faults.append(self._fault(capture))
            self._number += 1
        yield "captures", _REVIEWED_COLUMNS, captures
        yield "verdicts", VERDICT_COLUMNS, verdicts
        yield "reviews", _REVIEW_COLUMNS, reviews
        yield "faults", _FAULT_COLUMNS, faults

    @property
    def _recent(self) -> bool:
        return self._number >= self._captures - NOT_DONE

    def _judged(self, capture: JudgedCapture) -> tuple[JudgedCapture, str | None]:
        """The capture as it was judged then, and by which model."""
        if self._number < WITHOUT_MODEL * self._captures and capture.outcome != "unusable":
            return capture._replace(outcome="unsure", decision=None, reason="there is no model yet"), None
        return capture, MODELS[len(MODELS) * self._number // self._captures]

    def _said(self, capture: JudgedCapture) -> list[str]:
        """The labels that people gave it, one after the other."""
        chance = self._rng.random()
        if capture.outcome == "unsure":
            waits = self._recent and chance < 0.9
            return [] if waits else [self._rng.choices(("intact", "worn", "broken", "unusable"), (60, 25, 10, 5))[0]]
        if chance >= LOOKED_AT or self._recent:
            return []
        if capture.outcome == "unusable":
            return ["unusable"]
        right, wrong = ("intact", "worn") if capture.outcome == "intact" else ("broken", "intact")
        if self._rng.random() >= DISAGREES:
            return [right]
        return [wrong, wrong] if self._rng.random() < 0.5 else [wrong]

    def _review(self, capture: JudgedCapture, label: str) -> tuple[Any, ...]:
        by = PEOPLE[int(self._rng.random() * len(PEOPLE))]
        return capture.capture_id, label, by, _later(capture.judged_at, timedelta(hours=1)), None

    def _fault(self, capture: JudgedCapture) -> tuple[Any, ...]:
        reason = "image_missing" if self._rng.random() < 0.8 else "crashed"
        event = json.dumps(capture._asdict())
        # What is still open came twice, once so that nobody can tell which capture it was.
        capture_id = None if self._recent else capture.capture_id
        of = capture_id and UUID(capture_id), capture.check_id and UUID(str(capture.check_id)), capture.pocket
        subject = db.line.faults.subject(reason, event, *of)
        state = "open" if self._recent else "closed"
        place = capture.station, capture.check_id, capture.pocket
        at = capture.received_at
        return subject, capture_id, *place, reason, "made up", event, at, at, 1, state


def put_in_charge(url: str, captures: int) -> None:
    """Register the models but the first, which a history begins with, and put each in charge in its time."""
    lasts = captures / mean(POCKETS) * BETWEEN_CHECKS
    database = Database(url)
    try:
        with database.transaction() as session:
            for number, name in enumerate(MODELS[1:], 1):
                at = BEGIN + lasts * number / len(MODELS)
                classes = ("intact", "damaged")
                model = model_registry.Model(name, DEFAULT_BACKBONE, "0" * 64, at, classes, 240, {}, name, "0" * 64)
                model_registry.register(session, model)
                model_registry.promote(session, name, by="history", reason="a better one", at=at)
    finally:
        database.close()


def finish(url: str) -> None:
    """What is not a row of one capture: pockets that a review changes, and checks that lost a photograph for good."""
    database = Database(url)
    try:
        with database.transaction() as session:
            reviewed = select(Pockets.capture_id).join(Captures, Captures.capture_id == Pockets.capture_id)
            changed = session.scalars(reviewed.where(Captures.review.is_not(None) | (Captures.outcome == "unsure")))
            pockets.mark(session.connection(), changed.all())
            begun = session.scalars(select(Checks.check_id).order_by(Checks.started_at))
            for lost in list(islice(begun, LOST // 2, None, LOST)):
                session.execute(
                    update(Checks).where(Checks.check_id == lost).values(size=Checks.size + 1, awaited=True)
                )
    finally:
        database.close()


def _later(moment: str, than: timedelta) -> str:
    return (datetime.fromisoformat(moment) + than).isoformat(" ", "microseconds")
