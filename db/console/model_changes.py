"""What a person changes about the models' roles at the console: with a reason, and only where the page is not old.

The registry itself does it (`db.learning.model_registry`), as it does for all others. A person has a page before him
that may be old, so each change names the model that it is about, and one that it takes the place of, and is refused
where that is no longer what the page showed: a button that is pressed twice does no more than one that is pressed once,
and no model is put out by a person who has not seen it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from db.learning import model_registry
from db.learning.model_registry import Model, Promotion
from producer.contract.reasons import refusals as why
from producer.contract.reasons.template import Template

NOBODY: Final = "-"
"""In place of a model where none has the role; an empty field of a form cannot be told from a missing one."""

LONGEST_REASON: Final = 1_000
"""Characters of a reason that are taken."""


def promote(
    session: Session, model_id: str, *, instead_of: str | None = None, by: str, reason: str, at: datetime, **detail: Any
) -> Promotion:
    """Put a model in charge.

    `instead_of` is the model that was in charge on the page, `NOBODY` where none was; None asks nothing.

    Raises:
        LookupError: there is no such model.
        ValueError: it is in charge already, or another one than the page showed; no worker could judge by it; there is
            no reason.
    """
    _check(session, model_id)
    _check_page(model_id, _in_charge(session), instead_of, why.IN_CHARGE, why.IN_CHARGE_SINCE)
    return model_registry.promote(session, model_id, by=by, reason=_checked_reason(reason), at=at, **detail)


def roll_back(session: Session, model_id: str, *, by: str, reason: str, at: datetime, **detail: Any) -> Promotion:
    """Put the champion before this one, which is in charge, in charge again.

    Raises:
        LookupError: there is no such model, or no champion before it.
        ValueError: it is not in charge, no worker could judge by the one before, or there is no reason.
    """
    _known(session, model_id)
    if model_id != _in_charge(session):
        raise ValueError(why.NOT_IN_CHARGE(model=model_id))
    promotion = model_registry.rollback(session, by=by, reason=_checked_reason(reason), at=at, **detail)
    _check(session, str(promotion.model_id))
    return promotion


def start_shadow(
    session: Session, model_id: str, *, instead_of: str | None = None, by: str, reason: str, at: datetime, **detail: Any
) -> Promotion:
    """Have a model judge alongside the champion.

    `instead_of` is the model that was in shadow on the page, `NOBODY` where none was; None asks nothing.

    Raises:
        LookupError: there is no such model.
        ValueError: it is in charge or in shadow already, or another one is in shadow than the page showed; no worker
            could judge by it; there is no reason.
    """
    _check(session, model_id)
    _check_page(model_id, _in_shadow(session), instead_of, why.IN_SHADOW, why.IN_SHADOW_SINCE)
    return model_registry.start_shadow(session, model_id, by=by, reason=_checked_reason(reason), at=at, **detail)


def end_shadow(session: Session, model_id: str, *, by: str, reason: str, at: datetime, **detail: Any) -> None:
    """Have this model, which is in shadow, judge no more.

    Raises:
        LookupError: there is no such model.
        ValueError: it is not in shadow, or there is no reason.
    """
    _known(session, model_id)
    if model_id != _in_shadow(session):
        raise ValueError(why.NOT_IN_SHADOW(model=model_id))
    model_registry.end_shadow(session, by=by, reason=_checked_reason(reason), at=at, **detail)


def _in_charge(session: Session) -> str | None:
    """The champion, which no other transaction changes from now on."""
    model_registry.take_turns(session)
    champion = model_registry.champion(session)
    return None if champion is None else champion.model_id


def _in_shadow(session: Session) -> str | None:
    model_registry.take_turns(session)
    shadow = model_registry.shadow(session)
    return None if shadow is None else shadow.model_id


def _check_page(
    model_id: str, present: str | None, instead_of: str | None, has_it: Template, another_has_it: Template
) -> None:
    """Make sure that a model is not given a role that it has, nor in place of one that the page did not show."""
    if model_id == present:
        raise ValueError(has_it(model=model_id))
    if present is not None and instead_of not in (None, present):
        raise ValueError(another_has_it(model=present))


def _known(session: Session, model_id: str) -> Model:
    model = model_registry.find(session, model_id)
    if model is None:
        raise LookupError(why.NO_MODEL(model=model_id))
    return model


def _check(session: Session, model_id: str) -> None:
    """Make sure that a worker could judge by a model, as far as the database knows; its files are the workers'."""
    if _known(session, model_id).network_digest is None:
        raise ValueError(why.NO_NETWORK(model=model_id))


def _checked_reason(reason: str) -> str:
    if not reason.strip():
        raise ValueError(why.NEEDS_REASON())
    return reason.strip()
