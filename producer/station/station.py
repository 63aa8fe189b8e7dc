"""An inspection station: image in, event out; waits for answers when asked."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from producer.contract.answers import CheckAnswer, FaultAnswer, VerdictAnswer
from producer.contract.event import CaptureEvent, next_id, node, version_for
from producer.contract.names import check_name, safe_name
from producer.contract.region import AnyRegion
from producer.delivery.grouping import DEFAULT_GROUP
from producer.delivery.metrics import StationMetrics
from producer.delivery.node import another_node, node_of
from producer.delivery.outbox import NEWEST_ID, Outbox
from producer.delivery.outbox_room import OutboxFull
from producer.delivery.outbox_sender import OutboxSender
from producer.pictures.image_formats import stored_ending
from producer.storage.store import ImageStore

log = structlog.get_logger()

_KEPT_ANSWERS: Final = 10_000

AnyAnswer = VerdictAnswer | FaultAnswer | CheckAnswer


@dataclass(frozen=True)
class Received:
    """An answer and when it reached the station, in seconds of `time.monotonic`."""

    answer: AnyAnswer
    at: float


class Station:
    """One inspection station. Use it as a context manager: inside, events are sent and answers read."""

    def __init__(
        self,
        name: str,
        images: ImageStore,
        outbox: Outbox,
        redis_url: str,
        on_answer: Callable[[Received], None] | None = None,
        *,
        group: int = DEFAULT_GROUP,
    ):
        """Nothing is sent or read before the station is entered as a context manager.

        Args:
            name: the station's own; workers answer to it.
            images: where its photographs go.
            outbox: where its events wait until they are answered; one file may be shared by processes of one station.
            redis_url: of any form that `producer.delivery.redis_connection` reads.
            on_answer: called from a thread of the station's with every answer, also with those that come twice, but for
                answers to a check that a newer one has overtaken.
            group: the most captures that are sent in one message, 1 to 100.

        Raises:
            ValueError: no station can have that name.
        """
        self.name = name = check_name(name)
        self._images = images
        self._outbox = outbox
        self._node = node_of(outbox)
        self._newest = UUID(int=0)  # of the ids that this outbox is known to have given
        self._on_answer = on_answer
        self._answers: OrderedDict[UUID, Received] = OrderedDict()
        self._answered = threading.Condition()
        self.metrics = StationMetrics(name)
        self.metrics.watch(outbox)
        self._sender = OutboxSender(name, outbox, redis_url, self._take, self.metrics, group)

    def __enter__(self) -> Station:
        self._sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sender.close()

    def submit(
        self,
        image: bytes,
        *,
        machine: str,
        head: str,
        pocket: int,
        operation: str,
        check_id: UUID,
        check_size: int,
        check_size_counted: bool = False,
        capture_id: UUID | None = None,
        captured_at: datetime | None = None,
        region: AnyRegion | None = None,
        insert_designation: str | None = None,
        edge: int | None = None,
        operations_on_edge: int | None = None,
        note: tuple[str, str] | None = None,
    ) -> CaptureEvent:
        """Hand in one photograph; on return the image and its event are on disk and will not be lost.

        The image is stored and synced before the event exists, so no event ever names an image that is not there.

        Args:
            image: the photograph's file as it is: JPEG, PNG, BMP or TIFF.
            machine: the milling machine's name.
            head: the milling head's name.
            pocket: the pocket that the insert is in, from 1 on.
            operation: the machining operation that has just ended.
            check_id: the same for all photographs of a head after one operation.
            check_size: how many pockets the head has, however many photographs come.
            check_size_counted: nobody said so: it is what the photographs show, and no more come. If the line knows
                the head with more pockets, the check is "review".
            capture_id: a UUIDv7 of the caller's own, as `new_capture_id` gives it; by default a new one.
            captured_at: when the photograph was taken, with its time zone; by default now.
            region: where in the upright photograph the insert is: a box, a polygon, or along an edge; by default it is
                all of it.
            insert_designation: the insert's ISO 1832 designation.
            edge: which of its cutting edges is in use.
            operations_on_edge: how many operations that edge has done.
            note: a name and a value, written to the outbox in the same step as the event (see `Outbox.add`).

        Returns:
            The event as it will be sent.

        Raises:
            pydantic.ValidationError: a value does not fit the contract; nothing was stored.
            producer.delivery.outbox_room.OutboxFull: as many captures wait as may; nothing was stored.
            OSError, sqlite3.Error: the image store or the outbox cannot be written; no event was kept.
        """
        capture_id = capture_id or self.new_capture_id()
        captured_at = captured_at or datetime.now(UTC)
        event = CaptureEvent(
            schema_version=version_for(region, check_size_counted),
            capture_id=capture_id,
            captured_at=captured_at,
            station=self.name,
            machine=machine,
            head=head,
            pocket=pocket,
            operation=operation,
            check_id=check_id,
            check_size=check_size,
            check_size_counted=check_size_counted,
            image=f"{safe_name(self.name)}/{captured_at:%Y-%m-%d}/{capture_id}{stored_ending(image)}",
            image_sha256=hashlib.sha256(image).hexdigest(),
            region=region,
            insert_designation=insert_designation,
            edge=edge,
            operations_on_edge=operations_on_edge,
        )
        try:
            self._outbox.check_room()
        except OutboxFull:
            self.metrics.refused.inc()
            raise
        try:
            self._images.put(event.image, image)
        except OSError as error:
            if error.errno is None:
                raise
            problem = f"the photograph cannot be stored, nothing was kept: {error.strerror}"
            raise OSError(error.errno, problem, error.filename or event.image) from error
        self._outbox.add(event, time.time(), note)
        self.metrics.submitted.inc()
        self._sender.wake()
        return event

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have what is handed in within the block leave at its end, what is of one check in one message.

        So a worker knows all photographs of a check that was answered before, when it judges the first: until they are
        all judged, the check is no go. That holds for every process that sends what is in this outbox, and after a
        crash too.

        Raises:
            sqlite3.Error: the outbox cannot be written; what was handed in leaves a minute later.
        """
        with self._outbox.together():
            yield
        self._sender.wake()

    def new_capture_id(self) -> UUID:
        """An id for the next photograph: later than all that were handed in here, whatever became of the clock.

        Raises:
            sqlite3.Error: the outbox cannot be read.
        """
        newest = self._outbox.note(NEWEST_ID)
        return next_id(None if newest is None else UUID(newest), self._node)

    def ask_again(self, event: CaptureEvent) -> None:
        """Have the line tell once more what became of a capture, and of its check if that is finished.

        Raises:
            sqlite3.Error: the outbox cannot be written.
        """
        self._outbox.add(event, time.time())
        self._sender.wake()

    def wait_for(self, ids: Collection[UUID], timeout: float, *, since: float = 0.0) -> dict[UUID, Received]:
        """Wait for answers.

        Args:
            ids: of captures and checks.
            timeout: seconds after which those that have not come are given up.
            since: those from before are not meant, in seconds of `time.monotonic`: a check that was answered before
                a photograph of it was judged says nothing of that one.

        Returns:
            The newest answer to each of them that has one.
        """
        wanted = set(ids)

        def come() -> dict[UUID, Received]:
            answers = {key: self._answers[key] for key in wanted & self._answers.keys()}
            return {key: received for key, received in answers.items() if received.at >= since}

        with self._answered:
            self._answered.wait_for(lambda: len(come()) == len(wanted), timeout)
            return come()

    def flush(self, timeout: float) -> bool:
        """Wait until every event in the outbox has left this station at least once; False if `timeout` ran out."""
        end = time.monotonic() + timeout
        while self._outbox.unsent():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def _tell_clones_apart(self, capture_id: UUID) -> None:
        """Take another node if an answer is to a capture that nobody handed in here, though its id has the own node.

        Another outbox has given it, which was cloned with its computer. The ids of an outbox rise, and it notes the
        highest before one is sent.
        """
        if capture_id <= self._newest or node(capture_id) != self._node:
            return
        noted = self._outbox.note(NEWEST_ID)
        self._newest = max(self._newest, UUID(int=0) if noted is None else UUID(noted))
        if capture_id > self._newest:
            self._node = another_node(self._outbox, self._node)
            log.error(
                "a cloned computer hands in photographs as this station: this outbox counts as another one from now on",
                station=self.name,
                capture=str(capture_id),
                outbox=str(self._outbox.path),
                remedy="give each computer a station name of its own (INSERTS_STATION)",
            )

    def _take(self, answer: AnyAnswer) -> None:
        received = Received(answer, time.monotonic())
        self.metrics.answered(answer)
        key = answer.check_id if isinstance(answer, CheckAnswer) else answer.capture_id
        if key is not None:
            with self._answered:
                if isinstance(answer, CheckAnswer) and self._is_overtaken(answer):
                    return
                self._answers[key] = received
                if len(self._answers) > _KEPT_ANSWERS:
                    self._answers.popitem(last=False)
                self._answered.notify_all()
        if self._on_answer is not None:
            self._on_answer(received)
        if not isinstance(answer, CheckAnswer) and answer.capture_id is not None:
            self._tell_clones_apart(answer.capture_id)

    def _is_overtaken(self, answer: CheckAnswer) -> bool:
        known = self._answers.get(answer.check_id)
        return (
            known is not None
            and isinstance(known.answer, CheckAnswer)
            and answer.is_overtaken_by(known.answer.revision)
        )
