"""Sends what comes without a message (answers, inserts, models, holds of heads), and fault runs of stations."""

from __future__ import annotations

import time
from typing import Final

import structlog

from db.engine.database import Database
from db.line import holds, untold_checks
from db.queries import plant_news
from producer.contract.news_look import LEASE
from producer.contract.plant_news import Hold
from producer.runtime.periodic import Periodic
from worker.line.mapping import check_answer, label_answer
from worker.line.notifier import Notifier

log = structlog.get_logger()

LOOK_EVERY: Final = 5.0
"""Seconds between two looks."""


class PlantNewsWatch(Periodic):
    """Looks for news every few seconds, from entering the block to its end; several workers may do so at once."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        super().__init__(LOOK_EVERY, name="plant-news", failure="other systems were not told the news", at_once=True)
        self._database = database
        self._notifier = notifier
        self._held: frozenset[Hold] = frozenset()

    def turn(self) -> None:
        """Send the news, and then note it: after a crash between the two it is sent again.

        An answer that a person has changed is sent to its station too. What holds a head is not noted: a worker that
        begins sends it again, as long as it does.

        A look that has ended proves to connectors that somebody looks (`producer.contract.news_look`).

        Raises:
            DatabaseUnavailable, redis.RedisError: one of them is away; the next look is soon.
        """
        began = time.monotonic()
        with self._database.reading() as session:
            news = plant_news.untold(session)
            labelled = untold_checks.untold(session)
            held = holds.now(session, labelled.revisions.keys())
        self._notifier.emit([*news, *(hold for hold in held if hold not in self._held)])
        self._held = frozenset(held)
        self._notifier.tell_plant([(label.station, label_answer(label)) for label in labelled.shown])
        self._notifier.send([(label.station, label_answer(label)) for label in labelled.labels])
        self._notifier.send([(check.station, check_answer(check)) for check in labelled.checks])
        if news or labelled.revisions:
            with self._database.transaction() as session:
                plant_news.note(session, news)
                untold_checks.remove(session, labelled.revisions)
        if len(labelled.revisions) < untold_checks.CHECKS_AT_ONCE:  # else there may be more
            self._prove(LEASE - (time.monotonic() - began))

    def _prove(self, seconds: float) -> None:
        if seconds > LOOK_EVERY:
            self._notifier.looked(seconds)
        else:
            log.warning("a look for news took too long: what other systems show is not known to hold")
