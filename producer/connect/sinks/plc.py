"""A PLC's own OPC UA server: the last check of each head is written into its variables, and a heartbeat.

A connection is used as long as it lasts: asyncua would replace a lost one silently.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from asyncua import Client, ua

from producer.configuration.secret_files import password_in
from producer.connect.configuration.connector_file import PlcHead, PlcSink
from producer.connect.deliveries.delivery_log import Delivery, DeliveryLog
from producer.connect.deliveries.retry_schedule import MISCONFIGURED_PAUSE
from producer.connect.opcua.loop_thread import LoopThread
from producer.connect.opcua.plc_values import steps_of
from producer.connect.sinks.head_answers import Numbered
from producer.connect.sinks.last_answers import LastAnswers
from producer.connect.sinks.plc_connection import PlcConnection
from producer.connect.sinks.plc_security import security
from producer.connect.sinks.same_plc import require_own_plc
from producer.connect.sinks.sink import DeliveryResult, SinkAway
from producer.contract.answers import CheckAnswer
from producer.contract.plant_event import PlantEvent

log = structlog.get_logger()

ANSWER_TIMEOUT: Final = 10.0
"""Seconds that the PLC may take for one answer."""

OPEN_TIMEOUT: Final = 60.0
"""Seconds for connecting, and for learning what its variables are."""

BEAT_EVERY: Final = 1.0
"""Seconds between two heartbeats at least; while nothing happens there are some five."""

READ_BACK_EVERY: Final = 5.0
"""Seconds between two looks whether the PLC still has what was written."""

NO_CHECK: Final = 1
"""The sequence number beside the state of a head that no check is known of: a PLC begins with 0."""

_INDEXED: Final = {"heartbeat", "head"}
"""What the file says in NodeIds."""

_LOST: Final = "a PLC has lost the values of a head: they are written again"
_MISFIT: Final = "a head's last check does not fit its variables"
_SILENT: Final = "it does not answer: is server_certificate_file its certificate, and does it trust ours?"


class Plc:
    """The PLC as a sink; used by one thread."""

    def __init__(self, name: str, configuration: PlcSink, log: DeliveryLog):
        """Nothing is connected yet.

        Args:
            name: the sink's name.
            configuration: how the PLC is reached, and its variables.
            log: where the last checks are kept, for a PLC that has lost them.

        Raises:
            ValueError: a file cannot be read.
        """
        self._name = name
        self._configuration = configuration
        self._log = log
        self._states = f"states at {configuration.url}"  # whatever the file calls the PLC
        self._read_files()  # says at once what cannot be read
        self._thread: LoopThread | None = None
        self._connection: PlcConnection | None = None
        self._last: LastAnswers | None = None
        self._written: dict[PlcHead, tuple[int, CheckAnswer | None]] = {}
        self._beats = 0
        self._beaten_at = self._looked_at = 0.0

    def open(self) -> bool:
        """Be connected, with the last check of each head written, and show by the heartbeat that we are.

        Raises:
            SinkAway: the PLC cannot be reached, does not let us in, or has not the variables.
        """
        if self._thread is None:
            self._thread = LoopThread(f"plc-{self._name}")
        is_new = self._connection is None
        if is_new:
            shown = [head.state for head in self._configuration.head]
            named = {node for head in self._configuration.head for node in head.named}
            former = [node for node in self._noted_states() if node not in named]
            self._note_states([*shown, *former])
            self._written.clear()
            self._connection = self._call(self._connected(), OPEN_TIMEOUT)
            self._last = LastAnswers(self._log, self._name)
            self._call(self._write_anew(self._last.kept), OPEN_TIMEOUT)
            self._call(self._leave(former), OPEN_TIMEOUT)
            self._note_states(shown)
            self._show_news(self._last)
            self._looked_at = time.monotonic()
        if time.monotonic() - self._looked_at >= READ_BACK_EVERY:
            self._call(self._put_back(), OPEN_TIMEOUT)
            self._looked_at = time.monotonic()
        if time.monotonic() - self._beaten_at >= BEAT_EVERY:
            self._call(self._beat(), ANSWER_TIMEOUT)
            self._beaten_at = time.monotonic()
        return is_new

    def tell(self, deliveries: Sequence[Delivery]) -> Iterator[DeliveryResult]:
        """Write the last check of each head; earlier ones are overtaken, and a PLC must not act on them.

        Raises:
            SinkAway: the connection was lost, or the PLC does not take what is written.
        """
        if self._last is None:
            raise SinkAway("there is no connection")
        self._show_news(self._last, deliveries)
        remembered = [self._last.remember(delivery) for delivery in deliveries]
        last = {self._configuration.of(one.shows[1]): one for one in remembered if one.shows is not None}
        for delivery, one in zip(deliveries, remembered, strict=True):
            if self._thread is None:
                raise SinkAway("there is no connection")
            head = self._configuration.of(delivery.event)
            # The file may have named another head before.
            refused = self._show(head, one.shows) if head is not None and one is last.get(head) else None
            if refused is not None:
                yield DeliveryResult(delivery, refused, pause=MISCONFIGURED_PAUSE)
                continue
            yield DeliveryResult(delivery, shown=one.kept)

    def _show_news(self, last: LastAnswers, due: Sequence[Delivery] = ()) -> None:
        """Write the newest states, because our heartbeat says that the variables are current."""
        for one in last.news(due):
            head = self._configuration.of(one[1])
            if head is not None and (problem := self._show(head, one)) is not None:
                log.error(_MISFIT, sink=self._name, problem=problem)

    def _show(self, head: PlcHead, shows: Numbered | None) -> str | None:
        if shows is None:
            return None
        check = shows[1].data if isinstance(shows[1].data, CheckAnswer) else None  # an insert was changed
        refused: str | None = self._call(self._write_check(head, shows[0], check), OPEN_TIMEOUT)
        return refused

    def close(self) -> None:
        """Drop the connection."""
        connection, thread = self._connection, self._thread
        self._connection = self._thread = self._last = None
        if thread is None:
            return
        if connection is not None:
            with suppress(OSError, TimeoutError, ua.UaError):  # it may be lost already
                thread.call(connection.disconnect(), ANSWER_TIMEOUT)
        thread.close()

    def _read_files(self) -> None:
        """Read the password and the certificates, which may be others since the last connection.

        Raises:
            ValueError: a file cannot be read.
        """
        chosen = self._configuration
        self._password = None if chosen.password_file is None else password_in(chosen.password_file)
        self._security = None if chosen.security == "none" else security(chosen)

    def _noted_states(self) -> list[str]:
        """The variables of this PLC into which states were written, also of heads that the file names no more."""
        noted: list[str] = json.loads(self._log.note(self._states) or "[]")
        return noted

    def _note_states(self, nodes: Sequence[str]) -> None:
        self._log.keep({}, {self._states: json.dumps(nodes)})

    def _noted_namespaces(self, present: list[str]) -> list[str]:
        """The namespaces by which the file's indexes count: as the PLC had them when it was first reached with it."""
        name, file = f"namespaces at {self._configuration.url}", self._configuration.model_dump_json(include=_INDEXED)
        noted: tuple[str, list[str]] = json.loads(self._log.note(name) or '["", []]')
        if noted[0] == file:
            return noted[1]
        self._log.keep({}, {name: json.dumps([file, present])})
        return present

    @property
    def _reached(self) -> PlcConnection:
        assert self._connection is not None  # noqa: S101 (made by `open`)
        return self._connection

    def _no_state(self, head: PlcHead) -> dict[str, ua.Variant]:
        return {head.state: self._reached.variables[head.state].state(None)}

    def _call(self, coroutine: Any, timeout: float) -> Any:
        assert self._thread is not None  # noqa: S101 (made by `open`)
        try:
            return self._thread.call(coroutine, timeout)
        except BaseException as error:
            self.close()
            if not isinstance(error, (OSError, TimeoutError, ua.UaError, ValueError)):
                raise
            problem = _SILENT if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise SinkAway(f"{self._configuration.url}: {problem}") from error

    async def _connected(self) -> PlcConnection:
        self._read_files()
        client = Client(self._configuration.url, timeout=ANSWER_TIMEOUT, watchdog_intervall=ANSWER_TIMEOUT)
        if self._security is not None:
            client.application_uri, arguments = self._security
            await client.set_security(*arguments)
        if self._configuration.user is not None:
            client.set_user(self._configuration.user)
            client.set_password(self._password)
        nodes = {self._configuration.heartbeat}.union(*(head.named for head in self._configuration.head))
        connection = PlcConnection(client)
        await connection.connect(self._noted_namespaces, nodes)
        require_own_plc(self._log, self._name, connection.address)
        return connection

    async def _write_anew(self, kept: Sequence[tuple[int, PlantEvent]]) -> None:
        """Write what holds of every head that has it not, and of one that we know no check of that there is none.

        A head whose check its variables cannot hold has no state.
        """
        known = {self._configuration.of(event): (number, event.data) for number, event in kept}
        for head in self._configuration.head:
            number, check = known.get(head, (NO_CHECK, None))
            problem = await self._write_check(
                head, number, check if isinstance(check, CheckAnswer) else None, anew=True
            )
            if problem is not None:
                log.error(_MISFIT, sink=self._name, problem=problem)

    async def _leave(self, states: Sequence[str]) -> None:
        """Write "no state" for heads that the file no longer names, because they receive no answers from now on.

        Raises:
            ValueError: it cannot be written. The PLC may still show a go, beside our heartbeat.
        """
        for node in states:
            try:
                variable = await self._reached.variable(node)
            except ValueError:  # the PLC has it no more
                continue
            await self._reached.write({node: variable.state(None)})

    async def _write_check(
        self, head: PlcHead, number: int, check: CheckAnswer | None, *, anew: bool = False
    ) -> str | None:
        """Write a head's check, with `anew` only if it is not there; return why it cannot be, or None.

        Raises:
            ValueError: "no state" cannot be written either. The PLC may still show a go.
        """
        try:
            self._written.pop(head, None)
            steps = steps_of(self._reached.variables, head, number, check)
            whole = {node: value for values in steps for node, value in values.items()}
            if not anew or not await self._reached.holds(whole):
                await self._write_no_state(head)
                for values in steps:
                    await self._reached.write(values)
            self._written[head] = number, check
        except ValueError as error:
            await self._write_no_state(head)
            return str(error)
        return None

    async def _write_no_state(self, head: PlcHead) -> None:
        """Write that a head has no state, and see that it has none: beside another run's check_id its go would be one.

        Raises:
            ValueError: it cannot be.
        """
        await self._reached.write(values := self._no_state(head))
        if not await self._reached.holds(values):
            raise ValueError(f"{head.state} keeps another value than is written: the PLC must leave it to us")

    async def _put_back(self) -> None:
        """Write a head again whose sequence number has changed: its program was reloaded. Its own changes stay.

        Raises:
            ValueError: that a head has no state cannot be written.
        """
        heads = [*self._written]
        sequences = await self._reached.values([head.sequence for head in heads])
        for head, sequence in zip(heads, sequences, strict=True):
            written = self._reached.variables[head.sequence].counter(self._written[head][0]).Value
            if sequence != written:
                log.warning(_LOST, sink=self._name, head=head.head)
                await self._write_check(head, *self._written[head])
                if await self._reached.values([head.sequence]) != [written]:  # it does not keep it: once is enough
                    self._written.pop(head, None)

    async def _beat(self) -> None:
        self._beats += 1
        node = self._configuration.heartbeat
        await self._reached.write({node: self._reached.variables[node].counter(self._beats)})
