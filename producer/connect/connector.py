"""Sends every answer of the line on: one thread reads the plant's stream, and each system has one that sends to it."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

import redis
import structlog

from producer.connect import restores
from producer.connect.configuration.connector_file import ConnectorFile
from producer.connect.connector_problems import EVERYWHERE, ConnectorProblems
from producer.connect.deliveries.delivery_log import AS_NEW, DEFAULT_LIMIT, DeliveryLog
from producer.connect.initial_state import InitialState, reading_configurations, replay_stream
from producer.connect.insert_change_outbox import ChangeSender, InsertChangeOutbox
from producer.connect.log_clearing import LogClearing
from producer.connect.missed_answers import MissedAnswers
from producer.connect.reporter import SinkReporter
from producer.connect.sink_thread import SinkThread
from producer.connect.sinks.opening import open_sink
from producer.connect.stream_events import StreamEvents, moment_of
from producer.connect.stream_freshness import StreamFreshness, now
from producer.connect.unheard_machines import note_configured, note_heard
from producer.contract.news_look import LOOKED
from producer.contract.plant_event import PLANT_STREAM, PlantEvent
from producer.contract.plant_news import InsertChangeAnswer
from producer.delivery.stream_reader import BATCH, StreamEntry, StreamReader, order
from producer.runtime.backoff import Backoff
from producer.runtime.outage_log import OutageLog

log = structlog.get_logger()

LONGEST_PAUSE: Final = 2.0
"""The longest time, in seconds, between two looks whether Redis is back."""

BEGUN: Final = "begun"
"""The file beside the delivery log that says that there was one."""

_POSITION: Final = "position"

_HISTORY: Final = "history"
"""The note of whose writes were read (`StreamReader.history`)."""

_NOBODY_LOOKS: Final = "no worker looks for news in the database: start one with `insert-worker run`, or see its log"

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
        position = deliveries.note(_POSITION)
        if position is not None and not re.fullmatch(r"\d+-\d+", position, re.ASCII):
            raise ValueError(f"the delivery log {deliveries.path} is damaged, {position!r} is no position: {AS_NEW}")
        self._marker = deliveries.path.parent / BEGUN
        self._redis_url = redis_url
        self._kept = position  # up to where what the line says is in the log; None: nothing is
        self._old = deliveries.note(_OLD) or "0-0"
        self._history = deliveries.note(_HISTORY)
        self._events = StreamEvents(file.site)
        self._begun = False
        self._freshness = StreamFreshness()  # of what systems show
        self._heard = StreamFreshness()  # of what is only told, whoever looks
        self._sinks = [*file.sinks()]
        self._problems = ConnectorProblems(deliveries.path.parent)
        self._reader = StreamReader(redis_url, PLANT_STREAM, position or "0-0", self._came_back_empty, self._was_cut)
        opened = {name: open_sink(name, file.site, sink, deliveries, changes) for name, sink in self._sinks}
        heard = {name: self._freshness if sink.shows_state else self._heard for name, sink in self._sinks}
        self._threads = [SinkThread(*one, deliveries, self._problems, heard[one[0]]) for one in opened.items()]
        self._sender = ChangeSender(changes, redis_url)
        self._reporter = SinkReporter(file.site, deliveries, redis_url)
        self._missed = MissedAnswers(deliveries, position or "0-0", self._reporter.ask)
        self._clearing = LogClearing(deliveries, self._missed, limit)
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

    def declare(self, pockets: Mapping[str, int]) -> None:
        """Have each head, by its name, have so many pockets; what systems show is shown anew by that."""
        self._deliveries.sizes.declare(pockets)
        self._freshness.ends()

    def _read(self, stop: threading.Event) -> None:
        backoff = Backoff(0.5, LONGEST_PAUSE)
        while not stop.is_set():
            try:
                if not self._begun:
                    self._begin()
                self._clearing.clear(self._kept or "0-0")
                self._hear()
            except (redis.RedisError, OSError, sqlite3.Error) as error:
                problem = f"{type(error).__name__}: {error}"
                self._reading.begins(problem)
                self._problems.begins(EVERYWHERE, f"what the line says cannot be read or kept: {problem}")
                stop.wait(backoff.next())
            else:
                self._reading.ends()
                problem = self._missed.problem or self._events.not_understood or ""
                if problem:  # one is not understood until a connector that understands it is started
                    self._problems.begins(EVERYWHERE, problem)
                else:
                    self._problems.ends(EVERYWHERE)
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
        if how and self._missed.is_open:
            self._believe_nothing("0-0")
        if how or is_new:
            replay_stream(state, self._redis_url, self._old, end, self._events.event)
        self._events.not_understood = None  # it was said before, and is not among them
        state.begin(how)
        if how:
            self._deliveries.keep({}, self._missed.known_from(end))
        if is_new:
            if self._marker.exists():
                log.error(
                    "the former delivery log is gone: what waited in it is only in the database",
                    file=str(self._deliveries.path),
                    hint="`insert-db verdicts --since` has it; all further answers are sent",
                )
            notes = {_POSITION: end, _HISTORY: str(self._history), restores.NOTE: str(state.restored)}
            self._deliveries.keep({}, notes, [*state.said.values()])
            self._kept = self._reader.position = end
        self._begun = True
        self._marker.touch()

    def _hear(self) -> None:
        """Read on; what the line says is known where that was all.

        What the systems were shown before may be overtaken: a `go` that we vouch for would be acted on.
        """
        moment, spell = now(), self._freshness.spell
        is_looked_for = self._reader.has(LOOKED)  # before the reading: what was found is in the stream by then
        entries = self._reader.read(wait=spell is not None or self._missed.is_open or not is_looked_for)
        try:
            self._require_same_history()
            for part, restored in restores.parts_of(entries, self._deliveries.note(restores.NOTE)):
                self._keep(part, restored)
        except BaseException:
            self._reader.position = self._kept or "0-0"  # read again what was not kept
            raise
        if len(entries) < BATCH and self._misses_nothing():
            self._heard.heard(moment)
            if is_looked_for:
                self._freshness.heard(moment)
                self._missed.heard(self._reader.position, resumed=spell is None)
        if not is_looked_for:
            self._freshness.ends(_NOBODY_LOOKS)
        if self._freshness.spell != spell:
            self._wake()

    def _keep(self, entries: Sequence[StreamEntry], restored: Mapping[str, str]) -> None:
        before, self._events.not_understood = self._events.not_understood, None
        events = [event for entry in entries if (event := self._events.event(entry)) is not None]
        events, last_events = self._deliveries.with_event_ids(events)
        self._answer_again(events)
        wanted = {name: [event for event in events if sink.wants(event)] for name, sink in self._sinks}
        is_state = self._missed.is_open or order(entries[0].id) > order(self._old)
        notes = {_POSITION: entries[-1].id, **restored} | note_heard(self._deliveries, events)
        if restored or self._events.not_understood is not None:  # it may overtake what is shown
            is_state = False
            self._freshness.ends()
            notes |= self._missed.known_from(entries[-1].id)
        self._events.not_understood = self._events.not_understood or before
        is_complete = self._missed.answer(entries)
        if is_complete:
            log.warning("missed answers were sent again: what systems show holds")
            notes |= self._missed.end()
        self._deliveries.keep(wanted, notes, last_events, is_state=is_state, forgets=bool(restored))
        self._kept = entries[-1].id
        if is_complete is False:
            self._believe_nothing(self._kept)
        self._changes.settle([event.data.change_id for event in events if isinstance(event.data, InsertChangeAnswer)])
        self._wake()

    def _answer_again(self, events: list[PlantEvent]) -> None:
        """Send the result of an insert change again if the change is reported again: its sender missed the result."""
        ids = {event.data.change_id: event.id for event in events if isinstance(event.data, InsertChangeAnswer)}
        if waiting := self._changes.waiting(ids) if ids else []:
            self._deliveries.by_hand.tell_again([ids[change_id] for change_id in waiting], time.time())

    def _wake(self) -> None:
        for thread in self._threads:
            thread.wake()

    def _require_same_history(self) -> None:
        """Notice if Redis was restarted since we read, or is another one: it may have lost answers.

        It is asked behind each reading, for a client connects again unseen. What it has by then is no state.
        """
        history = self._reader.history()
        if history == self._history:
            return
        log.warning("Redis was restarted, or is another one: it may have lost answers")
        self._misses(self._kept or "0-0", self._reader.newest(), {_HISTORY: history})
        self._history = history

    def _came_back_empty(self) -> None:
        log.warning("Redis came back without what was read last: it may have lost more")
        newest, read_to = self._reader.newest(), self._kept or "0-0"
        # From an older file, or with a clock behind, it is read again, and must not overtake what is newer.
        self._misses(read_to, newest, {_POSITION: "0-0"}, can_be_said=newest == "0-0")
        self._kept = "0-0"

    def _was_cut(self, left: str) -> None:
        log.error(
            "the stream lacks what came after the last answer that was read",
            after=moment_of(self._reader.position),
            before=moment_of(left),
            hint="if the line said more than its stream keeps, INSERTS_PLANT_STREAM at the workers keeps more",
        )
        self._misses(self._reader.position, self._reader.position, {})

    def _misses(self, read_to: str, old: str, notes: dict[str, str], *, can_be_said: bool = True) -> None:
        """Vouch for nothing until a worker has sent again what may be missing since the entry `read_to`.

        Who begins to read takes nothing up to the entry `old` for a state: what was lost may overtake it.
        """
        self._freshness.ends()
        asks = self._missed.begin(read_to) if can_be_said else None
        if asks is None:
            self._believe_nothing(read_to)
        self._deliveries.keep({}, notes | {_OLD: old} | (asks or {}))
        self._old = old

    def _misses_nothing(self) -> bool:
        """Whether nothing is missing of what is shown; where a worker was asked in vain, nothing is shown any more."""
        if self._missed.is_open:
            if self._missed.wait():
                return False
            self._believe_nothing(self._reader.position)
        return True

    def _believe_nothing(self, read_to: str) -> None:
        """Let the systems show no earlier answer: a missed one, behind the entry `read_to`, may have overtaken it."""
        log.error(
            "what was said and not read is in the database alone: heads have no state until their next answer",
            hint="`insert-db verdicts --since` has it",
        )
        self._freshness.ends()
        self._deliveries.readings.begin_anew()
        self._deliveries.keep({}, self._missed.known_from(read_to) | self._missed.end())
