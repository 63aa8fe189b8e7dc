"""Tells other systems what people and the learner change about the models, and which stations see nothing."""

from __future__ import annotations

from typing import Final

from db.engine.database import Database
from db.queries import plant_news
from producer.runtime.periodic import Periodic
from worker.line.notifier import Notifier

LOOK_EVERY: Final = 5.0
"""Seconds between two looks."""


class PlantNewsWatch(Periodic):
    """Looks for news every few seconds, from entering the block to its end; several workers may do so at once."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        super().__init__(LOOK_EVERY, name="plant-news", failure="other systems were not told the news", at_once=True)
        self._database = database
        self._notifier = notifier

    def turn(self) -> None:
        """Say what is new, and then note it: after a crash between the two it is said again.

        Raises:
            DatabaseUnavailable, redis.RedisError: one of them is away; the next look is soon.
        """
        with self._database.reading() as session:
            news = plant_news.untold(session)
        if not news:
            return
        self._notifier.say(news)
        with self._database.transaction() as session:
            plant_news.note(session, news)
