"""News that only the database has: restored backups, models' roles, stations' fault runs, and changes of inserts.

News is sent first and then noted as sent. So after a crash between the two it is sent again: the same events, with the
same ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.engine import clock
from db.engine.times import utc
from db.engine.upsert import insert
from db.learning import model_registry
from db.line import restores, untold_changes
from db.queries import unusable_runs
from db.schema.tables import ToldNews
from producer.contract.plant_news import Change, FaultRun, InsertChangeAnswer, ModelChange, Restored

_RESTORE: Final = "restore"
_MODELS: Final = "models"
_STATION: Final = "station "

_LAST_MODELS: Final = 50
"""How many changes of models' roles are looked at that may be sent again."""


def untold(session: Session) -> list[Change]:
    """The news to be sent now: changes of inserts and models' roles, in order, and stations whose runs began or ended.

    Before all of it that a backup was restored: nothing counts that came before that. A run whose beginning was sent
    continues until the station has no run, and keeps the beginning that was sent.
    """
    noted = _noted(session)
    restored = _restored(session, noted, since=None)
    models = _models(session, int(noted.pop(_MODELS, 0)))
    return [*restored, *untold_changes.untold(session), *models, *_runs(session, noted)]


def sent_since(session: Session, moment: datetime) -> list[Change]:
    """The news that may have been sent since a moment and holds, as it was sent."""
    noted = _noted(session)
    restored = _restored(session, noted, since=moment)
    models = _models(session, max(0, int(noted.get(_MODELS, 0)) - _LAST_MODELS))
    sent = {run.station: noted.get(f"{_STATION}{run.station}") for run in unusable_runs.runs(session)}
    runs = [
        FaultRun(station=station, since=datetime.fromisoformat(since), ended=False)
        for station, since in sent.items()
        if since is not None
    ]
    changed = untold_changes.sent_since(session, moment)
    models_since = (one for one in models if one.at >= moment)
    return [*restored, *changed, *models_since, *(one for one in runs if one.since >= moment)]


def note(session: Session, changes: Iterable[Change]) -> None:
    """Note that this news was sent."""
    for news in changes:
        if isinstance(news, InsertChangeAnswer):
            untold_changes.remove(session, news)
            continue
        if isinstance(news, Restored):
            # By the clock of now: that of the restore may have been set right since.
            subject, value = _RESTORE, f"{news.restore_id.hex} {utc(clock.of_database(session))}"
        elif isinstance(news, ModelChange):
            subject, value = _MODELS, str(news.number)
        else:
            subject, value = f"{_STATION}{news.station}", news.since.isoformat()
        if isinstance(news, FaultRun) and news.ended:
            session.execute(delete(ToldNews).where(ToldNews.subject == subject))
            continue
        new = insert(session, ToldNews).values(subject=subject, value=value)
        session.execute(new.on_conflict_do_update(index_elements=["subject"], set_={"value": value}))


def _noted(session: Session) -> dict[str, str]:
    return {row.subject: row.value for row in session.execute(select(ToldNews.subject, ToldNews.value))}


def _restored(session: Session, noted: dict[str, str], since: datetime | None) -> list[Restored]:
    """The last restore, if it was told since a moment, or (None) was not told yet; its note is taken out."""
    restore_id, _, told_at = noted.pop(_RESTORE, "").partition(" ")
    restored = restores.last_news(session)
    if restored is None:
        return []
    if restore_id != restored.restore_id.hex:
        return [restored] if since is None else []
    return [restored] if since is not None and datetime.fromisoformat(told_at) >= since else []


def _models(session: Session, after: int) -> Iterator[ModelChange]:
    for change in model_registry.promotions_after(session, after):
        yield ModelChange(
            number=change.id,
            role=change.role,
            model=change.model_id,
            action=change.action,
            at=change.at,
            by=change.by,
            reason=change.reason,
        )


def _runs(session: Session, noted: dict[str, str]) -> Iterator[FaultRun]:
    runs = {f"{_STATION}{run.station}": run for run in unusable_runs.runs(session)}
    for subject, run in runs.items():
        if subject not in noted:
            yield FaultRun(station=run.station, since=run.since, ended=False, captures=run.captures, reason=run.reason)
    for subject, since in noted.items():
        if subject not in runs:
            station = subject.removeprefix(_STATION)
            yield FaultRun(station=station, since=datetime.fromisoformat(since), ended=True)
