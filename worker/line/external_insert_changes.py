"""Takes up external insert changes: the connector puts what other systems report into a Redis hash.

The order is commit, send, remove, as with captures: after a crash between two of them the steps are repeated, which the
change's id makes harmless.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import redis
import structlog
from pydantic import ValidationError

from db.engine.database import Database, is_unavailable
from db.people.external_insert_changes import take
from producer.contract.insert_change import INSERT_CHANGES, KeptChange
from producer.contract.plant_news import InsertChangeAnswer
from producer.runtime.periodic import Periodic
from producer.terminal.error_text import in_words
from worker.broker.patient_redis import connect_patiently
from worker.line.notifier import Notifier
from worker.runtime.failpoints import failpoint

log = structlog.get_logger()

LOOK_EVERY: Final = 1.0
"""Seconds between two looks."""


class ExternalInsertChangesWatch(Periodic):
    """Looks for external changes every second, from entering the block to its end; several workers may do so."""

    def __init__(self, database: Database, redis_url: str, notifier: Notifier) -> None:
        super().__init__(
            LOOK_EVERY, name="external-insert-changes", failure="insert changes that were told are not written yet"
        )
        self._database = database
        self._redis: redis.Redis = connect_patiently(redis_url)
        self._notifier = notifier

    def turn(self) -> None:
        """Write the changes that wait, in the order in which they were reported, and send the results.

        A change that cannot be written waits; those behind it are written all the same.

        Raises:
            DatabaseUnavailable, redis.RedisError: one of them is away; what waits does so until the next look.
            Exception: the first that could not be written for what it is.
        """
        failures: list[Exception] = []
        for kept in sorted(self._waiting(), key=lambda kept: kept.said_at):
            try:
                self._take(kept)
            except Exception as error:
                if is_unavailable(error) or isinstance(error, redis.RedisError):
                    raise
                failures.append(error)
        if failures:
            raise failures[0]

    def _take(self, kept: KeptChange) -> None:
        answer = self._write(kept)
        failpoint("change-before-notify")
        self._notifier.answer(answer)
        self._redis.hdel(INSERT_CHANGES, str(kept.change.change_id))
        log.info("an insert change was told", **answer.model_dump(mode="json", exclude={"kind", "schema_version"}))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._redis.close()

    def _write(self, kept: KeptChange) -> InsertChangeAnswer:
        with self._database.transaction() as session:
            return take(session, kept)

    def _waiting(self) -> Iterator[KeptChange]:
        waiting: dict[bytes, bytes] = self._redis.hgetall(INSERT_CHANGES)  # type: ignore[assignment]
        for change_id, text in waiting.items():
            try:
                yield KeptChange.model_validate_json(text)
            except ValidationError as error:
                log.error("what waits as an insert change is none, and was removed", problem=in_words(error, "it"))
                self._redis.hdel(INSERT_CHANGES, change_id.decode(errors="replace"))
