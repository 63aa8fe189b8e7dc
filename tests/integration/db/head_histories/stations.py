"""Stations of a head: what goes wrong there while it is photographed, and on the way to the workers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final
from uuid import UUID

from tests.database_support import id_at
from tests.integration.db.head_histories.truth import Photo, Truth
from tests.integration.db.head_histories.workshop import HEAD, OTHER_HEAD, Workshop, moment

NODES: Final = {"st-1": 0xA0000001, "st-2": 0xB0000002}
"""The stations, with what the ids of their outboxes end with."""

OUTCOMES: Final = {"damaged": "damaged", "unsure": "unsure", "unusable": "unusable", "stand-in": "unusable"}
REFUSED: Final = {"refused": "", "refused without pocket": "pocket", "refused without machine": "machine"}
FLAWS: Final = (*OUTCOMES, "fault", *REFUSED, "file of before", "other head")


@dataclass(frozen=True, repr=False)
class How:
    """What goes wrong in one operation, mostly nothing: only a head that is a GO but for one thing shows a wrong one.

    `flaw` is what is wrong with the photograph of the pocket `at`, `fate` what happens to the message, or to that of
    the pocket `fate_at` where they are sent one by one. The station's `clock` shows so many minutes too much; the
    operation begins `minutes` after the step before it.
    """

    at: int = 1
    flaw: str = ""
    fate: str = ""
    fate_at: int = 1
    one_by_one: bool = False
    in_turn: bool = True
    clock: float = 0
    minutes: float = 3

    def __repr__(self) -> str:
        values = ((of.name, getattr(self, of.name), of.default) for of in fields(self))
        return f"How({', '.join(f'{name}={value!r}' for name, value, default in values if value != default)})"


RIGHT: Final = How()
"""Nothing goes wrong."""


class Stations:
    """One station whose clock is set at times, or two with right clocks: whose is wrong nobody could say.

    `lost` are the messages that lie in the outbox, `unjudged` those whose worker died; `in_turn` is whether the answers
    of the last one come in their order.
    """

    def __init__(self, shop: Workshop, truth: Truth, *, are_two: bool) -> None:
        self.lost: list[list[Photo]] = []
        self.unjudged: list[list[Photo]] = []
        self.in_turn = True
        self._shop = shop
        self._truth = truth
        self.are_two = are_two
        self._last_ids = dict.fromkeys(NODES, 0)

    def operate(
        self, pockets: Iterable[int], size: int, how: How, station: str = "st-1", *, is_counted: bool = False
    ) -> None:
        """Photograph pockets of the head after an operation."""
        self._shop.minute += how.minutes
        check = id_at(moment(self._shop.minute))
        photos: list[Photo] = []
        for pocket in pockets:
            photo = self._take(pocket, size, check, station if self.are_two else "st-1", how)
            photo.is_counted = is_counted
            photos.append(photo)
        self._hand_in(photos, how)

    def take_another(self, before: Photo, pocket: int, size: int, how: How) -> None:
        """Photograph a pocket in the run of another photograph."""
        self._shop.minute += 0.3
        photo = self._take(pocket, size, before.check_id, before.station, how)
        photo.operation = before.operation
        self._hand_in([photo], how)

    def send(self, photos: list[Photo], fate: str = "") -> None:
        """Send a message to a worker."""
        if fate == "lost":
            self.lost.append(photos)
            return
        self._shop.arrive(photos)
        if fate == "worker dies":
            self.unjudged.append(photos)
        else:
            self._shop.judge(photos)

    def _hand_in(self, photos: list[Photo], how: How) -> None:
        self.in_turn = how.in_turn
        if not how.one_by_one:
            self.send(photos, how.fate)
            return
        for photo in photos:
            self.send([photo], how.fate if photo.pocket == how.fate_at else "")

    def _take(self, pocket: int, size: int, check: UUID, station: str, how: How) -> Photo:
        number = len(self._truth.photos)
        self._shop.minute += 0.05
        claimed = moment(self._shop.minute + (0 if self.are_two else how.clock))
        self._truth.clocks_are_right &= claimed == moment(self._shop.minute)
        flaw = how.flaw if pocket == how.at else ""
        photo = Photo(
            number=number,
            capture_id=self._next_id(station, int(claimed.timestamp() * 1000), number),
            check_id=check,
            size=size,
            head=HEAD,
            pocket=pocket,
            station=station,
            operation=f"operation {check}",
            claimed=claimed,
            sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            outcome=OUTCOMES.get(flaw, "intact"),
            is_stand_in=flaw == "stand-in",
            is_fault=flaw == "fault",
            is_refused=flaw in REFUSED,
            hides=REFUSED.get(flaw, ""),
        )
        before = [of for of in self._truth.usable(HEAD, pocket) if of.check_id != check and not of.is_stand_in]
        if flaw == "file of before" and before:
            photo.sha256, photo.outcome, photo.is_doubted = before[-1].sha256, before[-1].outcome, True
        if flaw == "other head" and not how.fate:
            photo.head = OTHER_HEAD
        self._truth.photos.append(photo)
        of_check = next(of for of in self._truth.photos if of.check_id == check)
        photo.is_doubted |= photo.head != of_check.head  # the check is the head's that its first photograph names
        return photo

    def _next_id(self, station: str, milliseconds: int, number: int) -> UUID:
        """As `producer.contract.event.next_id` makes them, by the station's clock."""
        self._last_ids[station] = last = max(milliseconds, self._last_ids[station] + 1)
        return UUID(int=last << 80 | 7 << 76 | 0xFFF << 64 | 2 << 62 | number << 32 | NODES[station])
