"""How many pockets a head is known to have, by all that was handed in of it: for a check of which nobody says so."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from db.schema.tables import Checks, Pockets
from producer.contract.names import IMPORTED


def known(connection: Connection, head: str) -> int:
    """The most pockets that any check of a head, or any photograph, told of; 0 for a head that was never seen.

    A head is the same one in whichever machine it is, as in the head register. The most counts, not the last: a station
    with a slow clock, or one that checks only some pockets again, does not make a head smaller.
    """
    of_checks = select(func.max(Checks.size)).where(Checks.head == head, Checks.machine != IMPORTED)
    of_pockets = select(func.max(Pockets.pocket)).where(Pockets.head == head, Pockets.machine != IMPORTED)
    return max(connection.scalar(of_checks) or 0, connection.scalar(of_pockets) or 0)
