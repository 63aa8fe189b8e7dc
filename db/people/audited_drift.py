"""That a person accepts what is new at a station, with its row in the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from db.line import station_days
from db.people import audit


def accept(session: Session, station: str, *, by: str, at: datetime, signed: str | None = None) -> int:
    """Have the station's reference days gathered anew, and return how many days counted until then.

    `signed` is whom the audit names where that is not who says it: at a terminal anybody may be named.

    Raises:
        LookupError: there is nothing to accept.
    """
    days = station_days.accept(session, station, by=by, at=at)
    audit.write(session, at=at, by=signed or by, action="drift accepted", subject=station, days=days)
    return days
