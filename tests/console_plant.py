"""A small plant to look at: heads with rendered inserts that wear, judged as a fair model would.

`python -m tests.console_plant FOLDER` makes one that `insert-db --data FOLDER console` shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import uuid6

from db.engine.database import Database
from db.evidence.evidence_map import EvidenceMap
from db.learning import evaluations, model_registry
from db.learning.model_registry import Model
from db.line import captures, faults, insert_changes, shadow_verdicts, station_days, verdicts
from db.line.captures import Capture
from db.line.shadow_verdicts import ShadowVerdict
from db.line.station_days import Aspect, StationDay
from db.line.verdicts import Verdict
from db.queries import connector_health, pocket_history, replace_list, unusable_runs
from producer.contract.connector_report import ConnectorReport, SinkState
from producer.contract.reasons import faults as why
from producer.contract.reasons import models, photographs
from producer.simulation.head import SimulatedHead
from producer.storage.folder import FolderStore
from tests.database_support import new_sqlite
from tests.evaluation_support import COUNT, report_of
from worker.networks.default_backbone import DEFAULT_BACKBONE

MODEL = "efficientnet_lite0-features-1"

_PLACES = np.hypot(*(np.indices((14, 14)) - 6.5))
EVIDENCE = EvidenceMap(0.2 * np.exp(-(_PLACES**2) / 8) - 0.01)
"""As if something spoke for damage in the middle of each photograph."""

HEADS_TOML = """\
[heads.H12]
pockets = 30

[heads.H7]
pockets = 16

[heads."Fräskopf 3"]
pockets = 12
layout = "row"
"""


@dataclass(frozen=True)
class Head:
    """A head of the plant, and what becomes of its inserts."""

    machine: str
    head: str
    pockets: int
    operations: int
    last: timedelta
    wear: float
    seed: int


HEADS = (
    Head("mill-1", "H12", 30, 5, timedelta(minutes=4), 0.065, 3),
    Head("mill-2", "Fräskopf 3", 12, 4, timedelta(minutes=11), 0.01, 5),
    Head("mill-3", "H7", 16, 3, timedelta(hours=5), 0.03, 7),
)


class Plant:
    """A database and an image store below a folder, and what is put into them."""

    def __init__(self, folder: Path, size: int = 320) -> None:
        self.folder = folder
        self.url = new_sqlite(folder / "inserts.db")
        self._store = FolderStore(folder / "images")
        self._size = size
        self.heads_file = folder / "heads.toml"
        self.heads_file.write_text(HEADS_TOML, encoding="utf-8")
        self.database = Database(self.url)
        model = Model(
            model_id=MODEL,
            backbone=DEFAULT_BACKBONE,
            fingerprint="f" * 64,
            created_at=datetime.now(UTC) - timedelta(days=3),
            classes=("damaged", "intact"),
            trained_on=240,
            metrics={},
            artefact=MODEL,
            digest="d" * 64,
            network_digest="e" * 64,
        )
        with self.database.transaction() as session:
            model_registry.register(session, model)
            model_registry.promote(session, MODEL, by="trainer", reason="the first", at=model.created_at)

    def work(self, heads: Iterable[Head] = HEADS, now: datetime | None = None) -> None:
        """Let heads work, and look at each after every operation."""
        now = now or datetime.now(UTC)
        for head in heads:
            simulated = SimulatedHead(head.pockets, head.seed, head.wear, 0.02, self._size)
            worn: list[int] = []
            for operation in range(1, head.operations + 1):
                for pocket in worn:
                    simulated.replace(pocket)
                simulated.operate()
                before = (head.operations - operation) * timedelta(minutes=25)
                worn = self.look(head, simulated, f"op-{operation:04}", now - head.last - before)

    def unsure_heads(self) -> None:
        """Two heads after one operation, of forty pockets in all, each of which a person has to look at."""
        now, made = datetime.now(UTC), SimulatedHead(1, 1, size=self._size)
        photo, _ = made.photograph(1)
        for machine, pockets in (("mill-1", 30), ("mill-2", 10)):
            check = uuid6.uuid7()
            for pocket in range(1, pockets + 1):
                moment = now - timedelta(seconds=120 - pocket)
                capture = self.capture(machine, "H12", pocket, pockets, "op-0001", check, moment, photo)
                self.judge(capture, 0.0, moment)

    def connector(self) -> None:
        """A connector that tells one system, and not another."""
        now = datetime.now(UTC)
        told = SinkState("broker", True, None, now.timestamp() - 9000, False, 0, None, 0, 420, now.timestamp() - 40)
        away = replace(told, name="mes", up=False, problem="no answer", waiting=31, oldest=now.timestamp() - 900)
        report = ConnectorReport(site="plant-1", host="line-pc", written_at=now, sinks=(told, away))
        with self.database.transaction() as session:
            connector_health.keep(session, {"0" * 32: report.model_dump_json()}, now)

    def work_worn(self) -> None:
        """A small head whose inserts are worn."""
        self.work([Head("mill-9", "Fräskopf 3", 6, 3, timedelta(minutes=3), 0.2, 5)])

    def look(self, head: Head, simulated: SimulatedHead, operation: str, at: datetime) -> list[int]:
        """Photograph and judge every pocket of a head; returns those that are to be replaced."""
        damaged = []
        check, rng = uuid6.uuid7(), np.random.default_rng([head.seed, int(operation[3:])])
        for pocket in simulated.pockets:
            photo, truth = simulated.photograph(pocket)
            moment = at - timedelta(seconds=2 * (len(simulated.pockets) - pocket))
            done = simulated.operations_on_edge(pocket)
            capture = self.capture(head.machine, head.head, pocket, head.pockets, operation, check, moment, photo, done)
            wear = simulated.edge(pocket).condition.flank_wear
            decision = (wear - 0.27) * 9 + rng.normal(0, 0.25) + (2 if truth == "broken" else 0)
            if self.judge(capture, float(decision), moment + timedelta(seconds=1)) == "damaged":
                damaged.append(pocket)
        return damaged

    def capture(
        self,
        machine: str,
        head: str,
        pocket: int,
        size: int,
        operation: str,
        check_id: UUID,
        moment: datetime,
        photo: bytes,
        operations_on_edge: int | None = None,
    ) -> Capture:
        """A capture with its photograph in the store, not recorded yet."""
        capture_id = uuid6.uuid7()
        key = f"station-1/{capture_id}.jpg"
        return Capture(
            capture_id=capture_id,
            captured_at=moment,
            station="station-1",
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            check_id=check_id,
            check_size=size,
            image=key,
            image_sha256=self._store.put(key, photo),
            insert_designation="SEKT 1204 AFTN",
            operations_on_edge=operations_on_edge,
        )

    def judge(self, capture: Capture, decision: float, at: datetime) -> str:
        """Record a capture and its verdict; returns the outcome."""
        probability = float(1 / (1 + np.exp(-3 * decision)))
        outcome = "damaged" if probability > 0.9 else "intact" if probability < 0.2 else "unsure"
        band = models.UNSURE_BAND(probability=probability, lower=0.2, upper=0.9)
        reason = band if outcome == "unsure" else None
        evidence = None if outcome == "intact" else EVIDENCE.packed()
        verdict = Verdict(capture.capture_id, MODEL, outcome, None, reason, decision, at, 0.06, probability, evidence)
        with self.database.transaction() as session:
            captures.record(session, capture, at)
            verdicts.record(session, verdict)
        return outcome

    def change_insert(self, machine: str, head: str, pocket: int) -> None:
        """A person says that an insert was changed before its newest photograph, and again since."""
        now = datetime.now(UTC)
        with self.database.transaction() as session:
            newest = pocket_history.of_pocket(session, machine, head, pocket, limit=1)[0].capture_id
            insert_changes.record(session, machine, head, pocket, by="ana", at=now, first=newest)
            insert_changes.record(session, machine, head, pocket, by="ana", at=now)

    def candidate(self) -> None:
        """A model that was measured beside the one in charge; what it takes wrongly are photographs of this plant."""
        now = datetime.now(UTC)
        with self.database.transaction() as session:
            model = model_registry.find(session, MODEL)
            assert model is not None
            new = {"model_id": "candidate", "created_at": now - timedelta(hours=2), "trained_on": COUNT}
            model_registry.register(session, replace(model, **new, artefact="candidate"))
            shown = [row.capture_id for row in replace_list.to_replace(session)]
            evaluations.record(session, "candidate", now, report_of("candidate", MODEL, shown))
            said = zip(shown, ("damaged", "damaged", "unsure", "intact"), strict=False)
            shadow_verdicts.record(
                session, [ShadowVerdict(each, "candidate", what, 0.2, 0.6, now) for each, what in said]
            )

    def fault(self) -> None:
        """A photograph that never came."""
        with self.database.transaction() as session:
            faults.record(
                session,
                capture_id=None,
                station="station-2",
                check_id=None,
                pocket=4,
                reason="image_missing",
                detail=why.MISSING(key="station-2/2026-11-27/4.jpg"),
                event="{}",
                at=datetime.now(UTC),
            )

    def spoilt_station(self) -> None:
        """A station that drifts, with its farthest photographs, and whose newest ones cannot be judged."""
        now, check = datetime.now(UTC), uuid6.uuid7()
        photo, _ = SimulatedHead(1, seed=1, size=96).photograph(1)
        shown = [
            replace(self.capture("mill-3", "H7", number, 16, "op-9", check, now, photo), station="station-3")
            for number in range(1, 1 + unusable_runs.FEWEST)
        ]
        reason = photographs.BLURRED(share=0.09)
        with self.database.transaction() as session:
            for capture in shown:
                captures.record(session, capture, now)
                verdicts.record(session, Verdict(capture.capture_id, None, "unusable", None, reason, None, now))
            for days_ago in (3, 2, 1):
                far = days_ago < 3
                dark = Aspect(distance=0.5, usual=0.05, chance=0.001, drifted=far, median=81.0, usual_median=120.0)
                farthest = [capture.capture_id for capture in shown] if far else ()
                day = now.date() - timedelta(days=days_ago)
                row = StationDay("station-3", day, now, 60, aspects={"brightness": dark}, farthest=farthest)
                station_days.record(session, row, None if far else b"sample")


if __name__ == "__main__":
    made = Plant(Path(sys.argv[1]))
    made.work()
    made.candidate()
    made.fault()
