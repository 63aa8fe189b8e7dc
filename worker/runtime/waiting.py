"""Retry with exponential back-off while a database, an image store or a Redis is away, until the process ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from celery.exceptions import Reject

from db.engine.database import is_unavailable
from producer.delivery.redis_refusals import is_away
from producer.runtime.backoff import Backoff
from producer.runtime.outage_log import OutageLog

T = TypeVar("T")

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
"""Seconds between two attempts: twice as many each time, from the one to the other."""

# Of the whole process, because it is the process that ends: every thread that waits learns of it here.
_shutting_down = threading.Event()


class ShuttingDown(Reject):  # type: ignore[misc]
    """The process ends while what it waits for is still unavailable.

    A `Reject` that asks for the message back into the queue: Celery would acknowledge any other error.
    """

    def __init__(self, reason: str, requeue: bool = True):
        # Both, because it travels from a child to its parent: pickle makes it anew from its arguments.
        super().__init__(reason, requeue=requeue)


class Service:
    """Something outside this process that may be unavailable for a while; one object for each, which logs its outages.

    Args:
        name: how the log names it.
        is_away: whether an error means that it is unavailable, rather than that the call was wrong.
    """

    def __init__(self, name: str, is_away: Callable[[BaseException], bool]):
        self.name = name
        self.is_away = is_away
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the outages before."""
        self.outage = OutageLog(f"{self.name} is away, waiting", f"{self.name} is back")


DATABASE: Final = Service("the database", is_unavailable)
REDIS: Final = Service("Redis", is_away)


def retry_while_unavailable(attempt: Callable[[], T], *services: Service) -> T:
    """Call `attempt` until the services that it needs are available, with exponential back-off; return its result.

    Without `services` it needs the database. An outage is logged once for each reason, and once when it is over.

    Raises:
        ShuttingDown: the process was told to end (`stop_waiting`) during an outage.
        Exception: what `attempt` raised for any other reason.
    """
    services = services or (DATABASE,)
    backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
    while True:
        try:
            result = attempt()
            break
        except Exception as error:
            service = next((service for service in services if service.is_away(error)), None)
            if service is None:
                raise
            if _shutting_down.is_set():
                raise ShuttingDown(f"the worker ends and {service.name} is away: {error}") from error
            service.outage.begins(str(error))
        _shutting_down.wait(backoff.next())
    for service in services:
        service.outage.ends()
    return result


def stop_waiting() -> None:
    """From now on every attempt in this process is made once: the process is shutting down."""
    _shutting_down.set()


def forget_outages() -> None:
    """Begin anew in a child: what its parent has logged is not its own, and a lock may have been held at the fork."""
    for service in (DATABASE, REDIS):
        service.begin_anew()
