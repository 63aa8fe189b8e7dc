"""Sends every answer of the line on: one thread reads the plant's stream, and each system has one that sends to it."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from datetime import UTC, datetime
from typing import Final

import redis
import structlog

from producer.connect.configuration.connector_file import ConnectorFile
from producer.connect.connector_problems import EVERYWHERE, ConnectorProblems
from producer.connect.deliveries.delivery_log import AS_NEW, DEFAULT_LIMIT, DeliveryLog
from producer.connect.initial_state import InitialState, reading_configurations, replay_stream
from producer.connect.insert_change_outbox import ChangeSender, InsertChangeOutbox
from producer.connect.reporter import SinkReporter
from producer.connect.sink_thread import SinkThread
from producer.connect.sinks.opening import open_sink
from producer.connect.stream_freshness import StreamFreshness, now
from producer.connect.unheard_machines import note_configured, note_heard
from producer.contract.answers import STREAM_FIELD
from producer.contract.plant_event import PLANT_STREAM, STATION_FIELD, PlantEvent, plant_event
from producer.contract.plant_news import PLANT_ANSWERS, InsertChangeAnswer, may_be_state
from producer.delivery.stream_reader import BATCH, StreamEntry, StreamReader, order
from producer.runtime.backoff import Backoff
from producer.runtime.outage_log import OutageLog
from producer.terminal.error_text import in_words

log = structlog.get_logger()

LONGEST_PAUSE: Final = 2.0
"""The longest time, in seconds, between two looks whether Redis is back."""

FORGET_EVERY: Final = 600.0
"""Seconds between two clearings of what was delivered long ago, or waits beyond the limit."""

BEGUN: Final = "begun"
"""The file beside the delivery log that says that there was one."""

_POSITION: Final = "position"

_HISTORY: Final = "history"
"""The note of whose writes were read (`StreamReader.history`)."""

_OLD: Final = "no state up to"
"""The note of the last entry of the plant's stream that may be overtaken by what Redis has lost."""


class Connector:
    """Reads the line's answers and sends them to the systems of the plant, until it is stopped."""

    def __init__(
        self,
        file: ConnectorFile,
        redis_url: str,
        deliveries: DeliveryLog,
        changes: InsertChangeOutbox,
        limit: int = DEFAULT_LIMIT,
    ):
        """Nothing is connected yet.

        Args:
            file: which systems receive what.
            redis_url: the line's Redis.
            deliveries: where everything is kept until it is delivered.
            changes: where insert changes that others tell are kept until a worker has them.
            limit: deliveries that may wait for one system; then its oldest go, so that it holds up no other.

        Raises:
            ValueError: a secret cannot be read, or what the delivery log has as its position is none.
        """
        self._file = file
        self._deliveries = deliveries
        self._changes = changes
        self._limit = limit
        position = deliveries.note(_POSITION)
        if position is not None and not re.fullmatch(r"\d+-\d+", position, re.ASCII):
            raise ValueError(f"the delivery log {deliveries.path} is damaged, {position!r} is no position: {AS_NEW}")
        self._marker = deliveries.path.parent / BEGUN
        self._redis_url = redis_url
        self._kept = position  # up to where what the line says is in the log; None: nothing is
        self._old = deliveries.note(_OLD) or "0-0"
        self._history = deliveries.note(_HISTORY)
        self._not_understood: str | None = None  # why an answer was passed over that may be a state
        self._begun = False
        self._freshness = StreamFreshness()
        self._sinks = [*file.sinks()]
        self._problems = ConnectorProblems(deliveries.path.parent)
        self._reader = StreamReader(redis_url, PLANT_STREAM, position or "0-0", self._came_back_empty, self._was_cut)
        self._threads = [
            SinkThread(
                name,
                open_sink(name, file.site, sink, deliveries, changes),
                deliveries,
                self._problems,
                self._freshness,
            )
            for name, sink in self._sinks
        ]
        self._sender = ChangeSender(changes, redis_url)
        self._reporter = SinkReporter(file.site, deliveries, redis_url)
        self._reading = OutageLog("what the line says cannot be read", "what the line says is read again")

    def run(self, stop: threading.Event) -> None:
        """Read and tell until `stop` is set."""
        names = [thread.name for thread in self._threads]
        self._deliveries.configure(names)
        note_configured(self._deliveries, self._sinks)
        for name in names:
            self._deliveries.set_up(name, False, "not reached yet", time.time())
        for thread in self._threads:
            thread.start()
        with self._sender:
            try:
                with self._reporter:
                    self._read(stop)
            finally:
                for thread in self._threads:
                    thread.stop()
                for thread in self._threads:
                    thread.join()
                self._reader.close()
                self._problems.close()

    def _read(self, stop: threading.Event) -> None:
        backoff, forgotten_at = Backoff(0.5, LONGEST_PAUSE), -FORGET_EVERY
        while not stop.is_set():
            try:
                if not self._begun:
                    self._begin()
                if time.monotonic() - forgotten_at > FORGET_EVERY:
                    self._forget()
                    forgotten_at = time.monotonic()
                self._hear()
            except (redis.RedisError, OSError, sqlite3.Error) as error:
                problem = f"{type(error).__name__}: {error}"
                self._reading.begins(problem)
                self._problems.begins(EVERYWHERE, f"what the line says cannot be read or kept: {problem}")
                stop.wait(backoff.next())
            else:
                self._reading.ends()
                if self._not_understood is None:
                    self._problems.ends(EVERYWHERE)
                else:  # until a connector that understands it is started
                    self._problems.begins(EVERYWHERE, self._not_understood)
                backoff.reset()

    def _begin(self) -> None:
        """Show the present state in a new system, or by a new connector; then send the line's next answers."""
        is_new = self._kept is None
        if is_new:
            self._history = self._reader.history()  # before anything is read
        end = self._reader.newest() if self._kept is None else self._kept
        read_for = {} if is_new else self._deliveries.readings.configured()
        every = reading_configurations(self._sinks, self._file.site)
        how = {name: text for name, text in every.items() if read_for.get(name) != text}
        state = InitialState(self._deliveries, [one for one in self._sinks if one[0] in how])
        if how or is_new:
            replay_stream(state, self._redis_url, self._old, end, self._event)
        self._not_understood = None  # it was said before, and is not among them
        state.begin(how)
        if is_new:
            if self._marker.exists():
                log.error(
                    "the former delivery log is gone: what waited in it is only in the database",
                    file=str(self._deliveries.path),
                    hint="`insert-db verdicts --since` has it; all further answers are sent",
                )
            self._deliveries.keep({}, {_POSITION: end, _HISTORY: str(self._history)}, [*state.said.values()])
            self._kept = self._reader.position = end
        self._begun = True
        self._marker.touch()

    def _hear(self) -> None:
        """Read on; what the line says is known where that was all.

        What the systems were shown before may be overtaken: a `go` that we vouch for would be acted on.
        """
        moment, hears = now(), self._freshness.spell is not None
        entries = self._reader.read(wait=hears)
        try:
            self._require_same_history()
            self._keep(entries)
        except BaseException:
            self._reader.position = self._kept or "0-0"  # read again what was not kept
            raise
        if len(entries) < BATCH:
            self._freshness.heard(moment)
            if not hears:
                self._wake()

    def _keep(self, entries: list[StreamEntry]) -> None:
        if not entries:
            return
        before, self._not_understood = self._not_understood, None
        events = [event for entry in entries if (event := self._event(entry)) is not None]
        events, said = self._deliveries.with_event_ids(events)
        self._answer_again(events)
        wanted = {name: [event for event in events if sink.wants(event)] for name, sink in self._sinks}
        is_state = order(entries[0].id) > order(self._old) and self._not_understood is None
        if self._not_understood is not None:  # it may overtake what is shown
            self._freshness.ends()
        self._not_understood = self._not_understood or before
        notes = {_POSITION: entries[-1].id} | note_heard(self._deliveries, events)
        self._deliveries.keep(wanted, notes, said, is_state=is_state)
        self._kept = entries[-1].id
        answers = (event.data for event in events)
        if settled := [answer.change_id for answer in answers if isinstance(answer, InsertChangeAnswer)]:
            self._changes.settle(settled)
        self._wake()

    def _answer_again(self, events: list[PlantEvent]) -> None:
        """Send the result of an insert change again if the change is reported again: its sender missed the result."""
        ids = {event.data.change_id: event.id for event in events if isinstance(event.data, InsertChangeAnswer)}
        if waiting := self._changes.waiting(ids) if ids else []:
            self._deliveries.by_hand.tell_again([ids[change_id] for change_id in waiting], time.time())

    def _wake(self) -> None:
        for thread in self._threads:
            thread.wake()

    def _event(self, entry: StreamEntry) -> PlantEvent | None:
        text = entry.fields.get(STREAM_FIELD, b"")
        try:
            answer = PLANT_ANSWERS.validate_json(text)
            station = entry.fields.get(STATION_FIELD, b"").decode()
            return plant_event(self._file.site, station, answer, entry.written_at)
        except (ValueError, OverflowError) as error:  # a time beyond all calendars among them
            problem = in_words(error, "answer")
            log.error("an answer is not understood and was passed over", id=entry.id, problem=problem)
            if may_be_state(text):
                self._not_understood = f"an answer is not understood, {problem}: are the workers newer?"
            return None

    def _forget(self) -> None:
        self._deliveries.forget(time.time())
        for sink, count in self._deliveries.forget_oldest(self._limit).items():
            log.error(
                "a system is away for too long: the oldest that waited for it is in the database alone",
                sink=sink,
                events=count,
                limit=self._limit,
                hint="`insert-db verdicts --since` has them; take a system out of the file that is there no more",
            )

    def _require_same_history(self) -> None:
        """Notice if Redis was restarted since we read, or is another one: it may have lost answers.

        It is asked behind each reading, for a client connects again unseen. What it has by then is no state.
        """
        history = self._reader.history()
        if history == self._history:
            return
        log.warning(
            "Redis was restarted, or is another one: what it may have lost is only in the database",
            hint="heads have no state until their next answer",
        )
        self._believe_nothing()
        self._reads_behind(self._reader.newest(), {_HISTORY: history})
        self._history = history

    def _came_back_empty(self) -> None:
        log.warning("Redis came back empty: what was said and not read by then is in the database alone")
        self._believe_nothing()
        self._reads_behind(self._reader.newest(), {_POSITION: "0-0"})  # or from an older file
        self._kept = "0-0"

    def _was_cut(self, left: str) -> None:
        log.error(
            "the line said more than its stream keeps: those answers are in the database alone",
            after=_day(self._reader.position),
            before=_day(left),
            hint="`insert-db verdicts --since` has them; a longer INSERTS_PLANT_STREAM at the workers keeps more",
        )
        self._believe_nothing()
        self._reads_behind(self._reader.position, {})

    def _reads_behind(self, old: str, notes: dict[str, str]) -> None:
        """Take nothing up to the entry `old` for a state: what was lost may overtake it."""
        self._deliveries.keep({}, {**notes, _OLD: old})
        self._old = old

    def _believe_nothing(self) -> None:
        """Let the systems show no earlier answer: a missed one may have overtaken it."""
        self._freshness.ends()
        self._deliveries.readings.begin_anew()


def _day(entry_id: str) -> str:
    return datetime.fromtimestamp(StreamEntry(entry_id, {}).written_at, UTC).isoformat(timespec="seconds")
