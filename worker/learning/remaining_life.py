"""The job `fit_lives`: from the line's history to how long each insert in use lasts."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import structlog

from db.engine.database import Database
from db.learning import remaining_lives
from db.learning.remaining_lives import LifeFit, RemainingLife
from db.learning.survival_curve import SurvivalCurve
from db.line.insert_histories import InsertHistory, histories
from producer.contract.vocabulary import SIMULATED_MACHINE
from worker.learning import lease
from worker.lives.from_histories import Stratum, life_of, lives, strata, wear_line_of, worn_out
from worker.lives.kaplan_meier import kaplan_meier
from worker.lives.life import CensoredLife
from worker.lives.miscounted_lives import miscounted
from worker.lives.wear_line import WornOut, remaining
from worker.lives.weibull import FEWEST, WeibullFit, fit

log = structlog.get_logger()

LEASE = "fit_lives"


def fit_lives(database: Database) -> LifeFit | None:
    """Fit how long inserts last, and keep it with its answer for each pocket; None while another process does.

    It may be killed at any moment and run again: what it finds follows from the captures alone, and is kept as a whole.

    Raises:
        DatabaseUnavailable: the database is away.
    """
    with lease.held(database, LEASE) as mine:
        if not mine:
            return None
        with database.reading() as session:
            seen = list(histories(session))
        inserts, of = _believed(_real(seen))
        known = lives(inserts, of)
        model = fit(known)
        result = LifeFit(
            at=datetime.now(UTC),
            followed=len(known),
            ended=sum(life.has_ended for life in known),
            needed=FEWEST,
            new=None if model is None else model.curve(None),
            gap=None if model is None else _gap(model, known),
        )
        answers = [] if model is None else _answers(model, inserts, of)
        suspected = [insert.suspected for insert in seen if insert.suspected is not None]
        with database.transaction() as session:
            remaining_lives.store(session, result, answers, suspected)
    return result


def _real(inserts: list[InsertHistory]) -> list[InsertHistory]:
    """Those of real machines; where there are none, those of the simulated one: its lives are no real one's."""
    return [insert for insert in inserts if insert.machine != SIMULATED_MACHINE] or inserts


def _believed(inserts: list[InsertHistory]) -> tuple[list[InsertHistory], list[Stratum]]:
    """The inserts with their strata, without those that are said to have done more than anybody can believe."""
    of = strata(inserts)
    known = [(place, life) for place, insert in enumerate(inserts) if (life := life_of(insert, of[place])) is not None]
    wrong = {known[number] for number in miscounted([life for _, life in known])}
    for insert, life in ((inserts[place], life) for place, life in sorted(wrong, key=lambda one: one[0])):
        if insert.is_in_use:
            log.warning(
                "an insert is said to have done more operations than it can have: nothing is answered for it",
                machine=insert.machine,
                head=insert.head,
                pocket=insert.pocket,
                operations=int(life.low),
                hint="was it changed, or its counter not set back? `insert-db insert-changed` says so",
            )
    left_out = {place for place, _ in wrong}
    kept = [place for place in range(len(inserts)) if place not in left_out]
    return [inserts[place] for place in kept], [of[place] for place in kept]


def _answers(model: WeibullFit, inserts: list[InsertHistory], of: list[Stratum]) -> list[RemainingLife]:
    """How long each insert lasts that is in use, of known age and not damaged: from where it was last seen intact.

    One that nobody has seen intact yet has no answer.

    By its wear land where one is measured and enough lives came as far, else by its age alone.
    """
    measured = worn_out(inserts, of)
    curves: dict[tuple[Stratum, int], SurvivalCurve] = {}

    def curve(stratum: Stratum, age: int) -> SurvivalCurve:
        if (stratum, age) not in curves:
            curves[stratum, age] = model.curve(stratum, age)
        return curves[stratum, age]

    answers = []
    for insert, stratum in zip(inserts, of, strict=True):
        life = life_of(insert, stratum) if insert.is_in_use else None
        seen = next((look.at for look in reversed(insert.looks) if look.outcome == "intact"), None)
        if life is None or life.has_ended or seen is None:
            continue
        answers.append(
            RemainingLife(
                insert.machine,
                insert.head,
                insert.pocket,
                age=int(life.low),
                lives=model.lives.get(stratum, 0),
                as_of=seen,
                curve=_by_wear(model, measured, insert, int(life.low)) or curve(stratum, int(life.low)),
                new=curve(stratum, 0),
            )
        )
    return answers


def _by_wear(model: WeibullFit, measured: list[WornOut], insert: InsertHistory, age: int) -> SurvivalCurve | None:
    """What the insert's wear line says, with the chance that it breaks before; None where it says nothing."""
    line = wear_line_of(insert, age)
    law = None if line is None else remaining(measured, line, age)
    return None if law is None else law.curve(model, age)


def _gap(model: WeibullFit, known: list[CensoredLife]) -> float:
    """The largest difference between the fitted share of intact inserts and the Kaplan–Meier estimate of it."""
    estimate = kaplan_meier(known)
    count = {stratum: sum(life.stratum == stratum for life in known) for stratum in model.effects}
    fitted = sum(number * model.intact_after(stratum, estimate.ages) for stratum, number in count.items()) / len(known)
    return float(np.abs(fitted - estimate.intact).max())
