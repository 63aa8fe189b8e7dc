"""How many pockets a head is known to have, by what was handed in of it: for a check of which nobody says so."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from db.schema.tables import Checks, Pockets


def known(connection: Connection, machine: str, head: str) -> int:
    """How many pockets a head has, as far as the line knows; 0 where it was never seen.

    It is the size of its last check, or its highest pocket that was photographed since. Of a head that this machine
    never had, it is the size of the one of this name that another machine had last.
    """
    # A check of one insert is of whichever pocket its photograph names, so it tells nothing of the head's size.
    last_check = (
        select(Checks.size, Checks.started_at)
        .where(Checks.head == head, Checks.size > 1)
        .order_by(Checks.started_at.desc())
        .limit(1)
    )
    last = connection.execute(last_check.where(Checks.machine == machine)).first()
    highest_pocket = select(func.max(Pockets.pocket)).where(Pockets.machine == machine, Pockets.head == head)
    if last is not None:
        highest_pocket = highest_pocket.where(Pockets.ordered_at >= last.started_at)
    sizes = [last.size if last is not None else 0, connection.scalar(highest_pocket) or 0]
    if not any(sizes):
        sizes = [connection.scalar(last_check) or 0]
    return max(sizes)
