"""OPC UA: a server of our own, which PLCs, SCADA and MES read.

An answer is delivered once it stands among what can be asked again, the deliveries in the log: from there a client that
was away asks for what it has missed, also after this process was killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import structlog

from producer.connect.configuration.connector_file import OpcuaSink
from producer.connect.deliveries.delivery_log import Delivery, DeliveryLog
from producer.connect.insert_change_outbox import InsertChangeOutbox
from producer.connect.opcua.insert_changes import ReportInsertChange
from producer.connect.opcua.loop_thread import LoopThread
from producer.connect.opcua.node_sets import NODE_SETS
from producer.connect.opcua.result_history import ResultHistory
from producer.connect.opcua.server import ResultServer
from producer.connect.sinks.head_answers import Numbered
from producer.connect.sinks.last_answers import LastAnswers
from producer.connect.sinks.sink import DeliveryResult, SinkAway

log = structlog.get_logger()

START_TIMEOUT: Final = 120.0
"""Seconds that building the address space may take, on a slow machine."""

TELL_TIMEOUT: Final = 60.0
"""Seconds that showing one batch of answers may take."""

STOP_TIMEOUT: Final = 10.0
"""Seconds that the server may take to say good-bye."""


class Opcua:
    """The server as a sink; used by one thread."""

    def __init__(self, name: str, site: str, configuration: OpcuaSink, log: DeliveryLog, changes: InsertChangeOutbox):
        """Nothing listens yet.

        Args:
            name: the sink's name.
            site: the plant's.
            configuration: where it listens, and whom it lets in.
            log: where what holds now is kept, and what can be asked again.
            changes: where insert changes that others tell are kept.

        Raises:
            ValueError: a file cannot be read.
        """
        self._name = name
        self._log = log
        self._address = configuration.address
        folder = log.path.parent
        report = ReportInsertChange(changes, name, configuration.users_file)
        self._server = ResultServer(site, configuration, folder / "refused", folder / NODE_SETS, report)
        self._history: ResultHistory | None = None
        self._thread: LoopThread | None = None
        self._last: LastAnswers | None = None

    def open(self) -> bool:
        """Listen, and show what held when this process last ended; anew where our certificate was renewed.

        Raises:
            SinkAway: the port cannot be had, or our certificate is not valid now.
        """
        if self._thread is not None:
            if not self._server.has_other_identity():
                return False
            log.warning("our certificate is another one now: clients have to connect again", sink=self._name)
            self.close()
        history = ResultHistory(self._log.path, self._name)
        thread = LoopThread(f"opcua-{self._name}")
        self._history, self._thread = history, thread
        try:
            thread.call(self._server.start(history, self._shown), START_TIMEOUT)
        except BaseException as error:
            self.close()
            if isinstance(error, (OSError, ValueError, TimeoutError)):
                raise SinkAway(f"{self._address} cannot be served: {error}") from error
            raise
        return True

    def _shown(self) -> list[Numbered]:
        """What holds now: read when the address space is built, just before others hear of it."""
        self._last = LastAnswers(self._log, self._name)
        return self._last.kept

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
        """Show these and send their events; who is connected has them then, and all others can ask for them.

        Raises:
            SinkAway: the server does not come to its end with them.
        """
        if self._thread is None or self._last is None:
            raise SinkAway("the server is not there")
        news = [(one, None) for one in self._last.news(deliveries)]
        remembered = [self._last.remember(one) for one in deliveries]
        remembered_news = [(one.shows, delivery.event) for one, delivery in zip(remembered, deliveries, strict=True)]
        try:
            self._thread.call(self._server.tell([*news, *remembered_news]), TELL_TIMEOUT)
        except TimeoutError as error:
            self.close()
            raise SinkAway("the server does not answer") from error
        for delivery, one in zip(deliveries, remembered, strict=True):
            yield DeliveryResult(delivery, shown=one.kept)

    def close(self) -> None:
        """Listen no more."""
        thread, self._thread, self._last = self._thread, None, None
        if thread is not None:
            with suppress(TimeoutError):
                thread.call(self._server.stop(), STOP_TIMEOUT)
            thread.close()
        if self._history is not None:
            self._history.close()
            self._history = None
