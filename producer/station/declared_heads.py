"""What is declared of the heads that a watching station sees: by the head register, else by `--check-size`."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from producer.contract.reasons.stations import ABOVE_CHECK_SIZE, NOT_IN_REGISTER
from producer.contract.region import AnyRegion
from producer.station.followed_register import FollowedRegister
from producer.station.head_register import HeadRegister
from producer.station.head_register_file import nearest
from producer.station.place import Place
from producer.station.settled_files import SETTLED_AFTER

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

    Raises:
        ValueError: there is neither.
    """

    def __init__(
        self,
        check_size: int | None,
        register: HeadRegister | None = None,
        *,
        settled_after: float = SETTLED_AFTER,
    ):
        if check_size is None and register is None:
            raise ValueError("how many pockets has a head? Give --check-size N, or a head register (INSERTS_HEADS)")
        self._check_size = check_size
        self._followed = None if register is None else FollowedRegister(register, settled_after=settled_after)
        self._unknown: set[str] = set()

    def look_again(self, now: float) -> None:
        """Take the head register as its file is now, once that has been still, at `now` of `time.monotonic`."""
        if self._followed is not None and self._followed.look_again(now):
            self._unknown.clear()

    def pocket(self, place: Place) -> DeclaredPocket:
        """What is declared of a pocket.

        Raises:
            ValueError: the head's number of pockets is not declared, or it has no such pocket. If it were accepted, the
                photograph would count for a pocket that was not photographed.
        """
        register = self._register
        head = register.get(place.head) if register is not None else None
        if head is not None:
            why = NOT_IN_REGISTER
            region = head.regions.get(place.pocket)
            others = () if region is None else (of for of, other in head.regions.items() if other != region)
            pocket = DeclaredPocket(head.pockets, head.designation, region, frozenset(others))
        elif register is not None and register.written_otherwise(place.head):
            raise ValueError(register.lacks(place.head))
        elif self._check_size is not None:
            why = ABOVE_CHECK_SIZE
            pocket = DeclaredPocket(self._check_size)
            self._warn(place.head)
        elif register is not None:
            raise ValueError(register.lacks(place.head))
        if place.pocket > pocket.check_size:
            raise ValueError(why(pocket=place.pocket, head=place.head, count=pocket.check_size))
        return pocket

    @property
    def _register(self) -> HeadRegister | None:
        return None if self._followed is None else self._followed.register

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
