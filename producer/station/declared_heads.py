"""What is declared of the heads that a watching station sees: by the head register, else by `--check-size`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import structlog

from producer.contract.reasons.stations import ABOVE_CHECK_SIZE, NOT_IN_REGISTER
from producer.contract.region import AnyRegion
from producer.station.head_register import HeadRegister, RegisterBeingWritten
from producer.station.head_register_file import nearest
from producer.station.place import Place
from producer.station.settled_files import DOUBT_FOR, SETTLED_AFTER, Look

log = structlog.get_logger()


@dataclass(frozen=True)
class DeclaredPocket:
    """A pocket of a head: how many the head has, which insert belongs there, and where in the photograph it is.

    `beside` are the pockets that may be in the same photograph: they have another region of it.
    """

    check_size: int
    designation: str | None = None
    region: AnyRegion | None = None
    beside: frozenset[int] = frozenset()


class DeclaredHeads:
    """Says what is declared for the place of each photograph. An undeclared head is never guessed.

    Args:
        check_size: how many pockets a head has that is not in the register; None if unknown.
        register: the head register, where there is one.
        settled_after: seconds that its file must show the same before what is changed in it counts.
        doubt_for: seconds that it must where it says less than before, as one does that is half written.

    Raises:
        ValueError: there is neither.
    """

    def __init__(
        self,
        check_size: int | None,
        register: HeadRegister | None = None,
        *,
        settled_after: float = SETTLED_AFTER,
        doubt_for: float = DOUBT_FOR,
    ):
        if check_size is None and register is None:
            raise ValueError("how many pockets has a head? Give --check-size N, or a head register (INSERTS_HEADS)")
        self._check_size = check_size
        self._register = register
        self._unknown: set[str] = set()
        self._settled_after = settled_after
        self._doubt_for = doubt_for
        self._taken = self._seen = _look_at(register)
        self._since = -math.inf  # that it has shown so
        self._doubted: Look | None = None

    def look_again(self, now: float) -> None:
        """Take the head register as its file is now, once that has been still, at `now` of `time.monotonic`.

        One that says less than before is taken when it still does after a while: it may be half written. One that is
        gone or cannot be read leaves what was declared before, and is said once.
        """
        if self._register is None:
            return
        look = _look_at(self._register)
        if look != self._seen:
            self._seen, self._since = look, now
        still = now - self._since
        if look == self._taken or still < self._settled_after:
            return
        try:
            register = HeadRegister.load(self._register.path)
            if still < self._doubt_for and (doubt := _doubt(register, self._register)) is not None:
                if look != self._doubted:
                    self._doubted = look
                    log.warning("the head register may not be written to its end: what it said counts", problem=doubt)
                return
        except RegisterBeingWritten:
            return
        except (ValueError, OSError) as error:
            self._taken = look
            log.error("the head register cannot be read any more: the previous one still counts", problem=str(error))
            return
        self._taken, self._register = look, register
        self._unknown.clear()
        log.warning("the head register was changed, and counts as it is now", heads=len(self._register.heads))

    def pocket(self, place: Place) -> DeclaredPocket:
        """What is declared of a pocket.

        Raises:
            ValueError: the head's number of pockets is not declared, or it has no such pocket. If it were accepted, the
                photograph would count for a pocket that was not photographed.
        """
        head = self._register.get(place.head) if self._register is not None else None
        if head is not None:
            why = NOT_IN_REGISTER
            region = head.regions.get(place.pocket)
            others = () if region is None else (of for of, other in head.regions.items() if other != region)
            pocket = DeclaredPocket(head.pockets, head.designation, region, frozenset(others))
        elif self._register is not None and self._register.written_otherwise(place.head):
            raise ValueError(self._register.lacks(place.head))
        elif self._check_size is not None:
            why = ABOVE_CHECK_SIZE
            pocket = DeclaredPocket(self._check_size)
            self._warn(place.head)
        elif self._register is not None:
            raise ValueError(self._register.lacks(place.head))
        if place.pocket > pocket.check_size:
            raise ValueError(why(pocket=place.pocket, head=place.head, count=pocket.check_size))
        return pocket

    def _warn(self, head: str) -> None:
        """Say once of a head that it is not in the register: its name may be mistyped."""
        if self._register is not None and head not in self._unknown:
            self._unknown.add(head)
            log.warning(
                "a head is not in the head register: it is taken to have as many pockets as --check-size says",
                head=head,
                pockets=self._check_size,
                meant=nearest(head, self._register.heads),
            )


def _doubt(register: HeadRegister, before: HeadRegister) -> str | None:
    """Why a register may not be written to its end yet; None where nothing says so."""
    if not register.path.read_bytes().endswith(b"\n"):
        return "its last line has no end"
    for name, head in before.heads.items():
        there = register.heads.get(name)
        if there is None:
            return f"it has no head {name} any more"
        if there.pockets < head.pockets or len(there.regions) < len(head.regions):
            return f"it says less of head {name}"
    return None


def _look_at(register: HeadRegister | None) -> Look | None:
    """How the register's file looks; None where there is none."""
    try:
        return Look.at(register.path.stat()) if register is not None else None
    except OSError:
        return None
