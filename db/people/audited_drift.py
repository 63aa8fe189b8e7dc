"""A person accepts the difference at a station, with a row in the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from db.line import station_days
from db.people import audit


def accept(session: Session, station: str, *, by: str, at: datetime, signed: str | None = None) -> int:
    """Start to collect new reference days for the station, and return how many days counted until now.

    `signed` is the name for the audit if it is another than `by`: at a terminal any name may be given.

    Raises:
        LookupError: there is nothing to accept.
    """
    days = station_days.accept(session, station, by=by, at=at)
    audit.write(session, at=at, by=by, signed=signed, action="drift accepted", subject=station, days=days)
    return days
