"""How many pockets a head is known to have, by everything submitted for it: used for a check that has no size."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from db.schema.tables import Checks, Pockets
from producer.contract.names import IMPORTED


def known(connection: Connection, head: str) -> int:
    """The largest number of pockets in any check or photograph of a head; 0 for a head that was never seen.

    A head is the same one in whichever machine it is, as in the head register. The most counts, not the last: a station
    with a slow clock, or one that checks only some pockets again, does not make a head smaller.
    """
    of_checks = select(func.max(Checks.size)).where(Checks.head == head, Checks.machine != IMPORTED)
    of_pockets = select(func.max(Pockets.pocket)).where(Pockets.head == head, Pockets.machine != IMPORTED)
    return max(connection.scalar(of_checks) or 0, connection.scalar(of_pockets) or 0)
