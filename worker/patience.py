"""Waiting for a database that is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential

from db.session import is_unavailable

log = structlog.get_logger()

T = TypeVar("T")


def patiently(attempt: Callable[[], T]) -> T:
    """Do ``attempt`` until the database lets it: one that is away is waited for, not counted against anybody.

    Raises:
        Exception: what ``attempt`` raised for any other reason.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_unavailable), wait=wait_exponential(0.2, max=5.0), before_sleep=_warn, reraise=True
    )
    return retrying(attempt)


def _warn(state: RetryCallState) -> None:
    problem = state.outcome.exception() if state.outcome else None
    log.warning("the database is away, waiting", attempts=state.attempt_number, problem=str(problem))
