"""One of each kind that is said on the plant's stream alone."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from producer.contract.plant_news import FaultRun, InsertChangeAnswer, ModelChange, News

AT = datetime(2026, 11, 28, 10, tzinfo=UTC)
RUN = FaultRun(station="station-1", since=AT, ended=False, captures=5, reason="dark")
NEWS: tuple[News, ...] = (
    ModelChange(number=3, role="champion", model="m-1", action="promoted", at=AT, by="ana", reason="better"),
    RUN,
    InsertChangeAnswer(change_id=UUID(int=7), machine="mill-1", head="H12", pocket=3, by="ana", via="broker", at=AT),
)
