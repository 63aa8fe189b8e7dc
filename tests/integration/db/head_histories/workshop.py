"""A real line without its network: what workers write and say, what people record, and what a broker would retain.

The database, what a worker does with it, the connector's log and its choice of what holds are the real ones; messages
are handed over by calls, so that a history of weeks takes a second.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from db.backup import sqlite
from db.engine import schema_version
from db.engine.database import Database
from db.engine.times import utc
from db.line import check_rows, checks, faults, holds, incomplete_checks, restored_checks, restores, untold_checks
from db.line.captures import Arrival, Capture
from db.line.check_rows import NamedCheck
from db.line.verdicts import Verdict
from db.queries import plant_news
from producer.connect.deliveries.delivery_log import DeliveryLog
from producer.connect.sinks.last_answers import LastAnswers
from producer.contract.answers import CheckAnswer
from producer.contract.plant_event import PlantEvent, plant_event
from producer.contract.plant_news import InsertChangeAnswer, PlantAnswer, Restored
from tests.database_support import new_sqlite
from tests.integration.db.conftest import T0
from tests.integration.db.head_histories.truth import Photo
from worker.line.faults import CaptureFault
from worker.line.mapping import check_answer, label_answer, verdict_answer
from worker.line.writes import Writes

MACHINE: Final = "mill-1"
HEAD, OTHER_HEAD = "head-1", "head-2"
_BEHIND: Final = 3600
_DUE_AT_ONCE: Final = 7
"""Few, so that what waits is told in several steps."""


def moment(minute: float) -> datetime:
    """The time so many minutes after the beginning."""
    return T0 + timedelta(minutes=minute)


class Retained:
    """What a broker retains of each head: a check, None where the head has no state."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.register: int | None = None
        self.of: dict[str, CheckAnswer | None] = {}
        self._log: DeliveryLog | None = None

    def start(self, register: int | None) -> None:
        """Start the connector anew, with so many pockets in the register for each head."""
        self.close()
        self.register, self.of = register, {}
        self._log = DeliveryLog(self._file)
        self._log.configure(["mqtt"])
        if register is not None:
            self._log.sizes.declare(dict.fromkeys((HEAD, OTHER_HEAD), register))
        self._last = LastAnswers(self._log, "mqtt")
        self._last.news()
        for _, event in self._last.kept:
            self._show(event)

    def keep(self, answers: Sequence[PlantAnswer], at: datetime) -> None:
        """Keep what the plant's stream has, as `producer.connect.connector.Connector` does."""
        assert self._log is not None
        restored = next((number for number, one in enumerate(answers, 1) if isinstance(one, Restored)), 0)
        for some, is_restore in ((answers[:restored], True), (answers[restored:], False)):
            events = [plant_event("plant", "st-1", answer, at.timestamp()) for answer in some]
            events, said = self._log.with_event_ids(events)
            if events:
                self._log.keep({"mqtt": events}, {}, said, is_state=not is_restore, forgets=is_restore)
        if restored:
            self.start(self.register)

    def tell(self) -> None:
        """Send what waits."""
        assert self._log is not None
        now = datetime.now(UTC).timestamp()
        while due := self._log.due("mqtt", now, _DUE_AT_ONCE):
            for _, event in self._last.news(due):
                self._show(event)
            for delivery in due:
                remembered = self._last.remember(delivery)
                if remembered.shows is not None:
                    self._show(remembered.shows[1])
                self._log.delivered("mqtt", [delivery], now, remembered.kept)

    def told_later(self, seconds: int) -> None:
        """All was told by a clock that is so far ahead of this one."""
        self.close()
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute("UPDATE said_check SET revision = revision + ?", (seconds,))
        self.start(self.register)

    def _show(self, event: PlantEvent) -> None:
        if isinstance(event.data, CheckAnswer):
            self.of[event.data.head] = event.data
        elif isinstance(event.data, InsertChangeAnswer):
            self.of[event.data.head] = None

    def close(self) -> None:
        """End the connector."""
        if self._log is not None:
            self._log.close()


class Workshop:
    """The line; `to_station` is the last answer that the station has of each check."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(new_sqlite(folder / "line.db"))
        self.retained = Retained(folder / "deliveries.db")
        self.to_station: dict[UUID, CheckAnswer] = {}
        self.minute = 0.0
        self._writes = Writes(self.database)
        self._said: list[list[PlantAnswer]] = []
        self.came = 0
        self._backup = folder / "backup.db"

    def close(self) -> None:
        """End it."""
        self.retained.close()
        self.database.close()

    def arrive(self, photos: Sequence[Photo]) -> None:
        """A worker takes a message up."""
        usable = [photo for photo in photos if not photo.is_refused]
        at = moment(self.minute)
        self._writes.arrive(
            [Arrival(_capture(of), at, tried=True, shows=not of.is_stand_in, counted=of.is_counted) for of in usable]
        )
        self._came_to_be_known(usable)

    def _came_to_be_known(self, photos: Sequence[Photo]) -> None:
        for photo in photos:
            if photo.came is None:
                photo.came, photo.progress = self.came, "waits"
                self.came += 1

    def judge(self, photos: Sequence[Photo]) -> None:
        """It comes to its end with it; only now anything is kept of an event that cannot be used."""
        self._came_to_be_known(photos)
        new = [photo for photo in photos if photo.progress == "waits"]
        failed = [photo for photo in new if photo.is_fault or photo.is_refused]
        judged = [photo for photo in new if photo not in failed]
        begun: dict[UUID, UUID] = {}
        if named := [_named(photo) for photo in failed if photo.is_refused]:
            with self.database.transaction() as session:
                begun = check_rows.begin(session, named, moment(self.minute))
            for photo in failed:  # of a check of its own, where that which it names is of another run
                photo.check_id = begun.get(photo.capture_id, photo.check_id)
        check_ids = {photo.check_id for photo in photos}
        self._end(judged, [_fault(photo) for photo in failed], None, check_ids, () if new else check_ids)
        with self.database.reading() as session:
            numbers = {fault.event: fault.id for fault in faults.search(session)} if failed else {}
        for photo in failed:
            photo.progress, photo.fault_number = "fault", numbers[str(photo.number)]
            if photo.is_refused and photo.capture_id not in begun:
                photo.came = None  # no machine has its head: only that something could not be used is known

    def requeue(self, photo: Photo) -> None:
        """A person has a fault judged again, and this time it can be."""
        assert photo.fault_number is not None
        with self.database.transaction() as session:
            faults.requeue(session, photo.fault_number)
        self._end([photo], [], photo.fault_number, [photo.check_id], ())

    def give_up(self) -> dict[UUID, int]:
        """A worker waits no longer for what has not come; which checks, with how many photographs."""
        self._look_for_news()  # as often while they waited
        with self.database.reading() as session:
            awaited = incomplete_checks.awaited(session)
        with self.database.transaction() as session:
            ended = checks.if_given_up(session, awaited.keys())
        self.say([check_answer(check) for check in ended if check.missing and check.state != "pending"])
        with self.database.transaction() as session:
            incomplete_checks.give_up(session, awaited)
        return {check_id: of.captures for check_id, of in awaited.items()}

    def back_up(self) -> None:
        """Copy the database."""
        self._backup.unlink(missing_ok=True)
        sqlite.write(self.database.url, self._backup)

    def restore(self) -> None:
        """Bring the copy back, after all workers have ended, on a computer whose clock is an hour behind."""
        self._arrive(self._said)
        self.retained.told_later(_BEHIND)
        of_station = self.to_station.items()
        self.to_station = {of: one.model_copy(update={"revision": one.revision + _BEHIND}) for of, one in of_station}
        with self.database.reading() as session:
            before = restores.replaced(session)
        before = replace(before, highest=before.highest + _BEHIND)
        sqlite.read(self.database.url, self._backup, schema_version.head(), lambda _: None)
        with self.database.transaction() as session:
            made_at = utc(datetime.now(UTC))
            restores.record(session, at=moment(self.minute), file="backup.db", made_at=made_at, before=before)
            restored_checks.doubt(session)

    def say(self, answers: Sequence[PlantAnswer]) -> None:
        """A worker writes answers to the plant's stream."""
        if answers:
            self._said.append([*answers])

    def deliver(self, in_turn: bool = True) -> None:
        """The watch looks for news, and everything that was said arrives, of several workers not in turn."""
        self._look_for_news()
        self._arrive(self._said if in_turn else reversed(self._said))
        self.retained.tell()

    def _arrive(self, said: Iterable[Sequence[PlantAnswer]]) -> None:
        for answers in said:
            for answer in answers:
                if isinstance(answer, CheckAnswer):
                    before = self.to_station.get(answer.check_id)
                    if before is None or answer.revision >= before.revision:
                        self.to_station[answer.check_id] = answer
            self.retained.keep(answers, moment(self.minute))
        self._said = []

    def _look_for_news(self) -> None:
        """As `worker.line.plant_news.PlantNewsWatch` does."""
        with self.database.reading() as session:
            news, labelled = plant_news.untold(session), untold_checks.untold(session)
            held = holds.now(session, labelled.revisions.keys())
        self.say([*news, *held])
        self.say([label_answer(label) for label in (*labelled.shown, *labelled.labels)])
        self.say([check_answer(check) for check in labelled.checks])
        if news or labelled.revisions:
            with self.database.transaction() as session:
                plant_news.note(session, news)
                untold_checks.remove(session, labelled.revisions)

    def _end(
        self,
        judged: Sequence[Photo],
        failed: Sequence[CaptureFault],
        requeued: int | None,
        check_ids: Collection[UUID],
        again: Collection[UUID],
    ) -> None:
        ended = self._writes.end([self._verdict(of) for of in judged], failed, requeued, check_ids, again)
        of = {photo.capture_id: photo for photo in judged}
        for photo in judged:
            photo.progress = "judged"
        verdicts = [verdict_answer(_capture(of[one.capture_id]), one) for one in ended.verdicts]
        self.say([*ended.holds, *verdicts, *map(check_answer, ended.checks)])

    def _verdict(self, photo: Photo) -> Verdict:
        at = moment(self.minute)
        return Verdict(
            capture_id=photo.capture_id,
            model_id=None,
            outcome=photo.outcome,
            label=None,
            reason=None,
            decision=0.2,
            judged_at=at,
            seconds=0.5,
        )


def _capture(photo: Photo) -> Capture:
    return Capture(
        capture_id=photo.capture_id,
        captured_at=photo.claimed,
        station=photo.station,
        machine=MACHINE,
        head=photo.head,
        pocket=photo.pocket,
        operation=photo.operation,
        check_id=photo.check_id,
        check_size=photo.size,
        image=photo.sha256,
        image_sha256=photo.sha256,
    )


def _named(photo: Photo) -> NamedCheck:
    machine, size = None if photo.hides == "machine" else MACHINE, 0 if photo.hides == "pocket" else photo.size
    of = photo.check_id, photo.station, machine, photo.head, photo.operation
    return NamedCheck(*of, size=size, own_id=photo.capture_id)


def _fault(photo: Photo) -> CaptureFault:
    reason, of = ("invalid_event", None) if photo.is_refused else ("image_missing", photo.capture_id)
    pocket = None if photo.hides == "pocket" else photo.pocket
    return CaptureFault(reason, "", str(photo.number), of, photo.station, photo.check_id, pocket)
