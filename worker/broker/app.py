"""The Celery application: its queue and its settings, with their reasons; nothing else."""

from __future__ import annotations

import warnings
from typing import Final

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from kombu.entity import Queue

from producer.contract.event import INSPECT_QUEUE
from producer.delivery.redis_connection import check_url
from producer.delivery.redis_transport import BROKER
from worker.broker.kombu_fixes import Amqp, CarefulTransport
from worker.broker.redelivery import SWEEP_EVERY, VISIBILITY_TIMEOUT

CHILD_STARTS_WITHIN: Final = 120.0
"""Seconds within which a new process of the pool must be ready, or it is replaced. Celery's own default is four: too
few where as many processes as there are cores read a network from a slow disk."""


def make_app(redis_url: str) -> Celery:
    """The Celery application of a worker whose broker is at `redis_url`.

    Raises:
        ValueError: it is not a Redis URL.
    """
    check_url(redis_url)
    # Celery explains at length, at each broken connection, a setting that is chosen here (tasks are not cancelled).
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    app = Celery("insert-inspection", broker=BROKER, amqp=Amqp, set_as_current=False)
    app.conf.update(
        # JSON in and out: a message can hold values, never code.
        accept_content=["json"],
        task_serializer="json",
        # The verdict's way back is the station's stream and the database, so there is no result backend.
        task_ignore_result=True,
        # Acknowledge after commit and notification (promise 3). Prefetch few messages: those of a dead worker wait for
        # their redelivery.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        # A message whose process died comes again at once; its attempts are counted in SQL. One that failed is dropped:
        # what can be tried again has gone back as a message of its own, or is sent again by its station.
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=False,
        worker_proc_alive_timeout=CHILD_STARTS_WITHIN,
        task_queues=[Queue(INSPECT_QUEUE)],  # type: ignore[no-untyped-call]
        task_default_queue=INSPECT_QUEUE,
        broker_transport=CarefulTransport,
        broker_transport_options={
            "redis_url": redis_url,
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "unacked_restore_interval": SWEEP_EVERY,
            "unacked_restore_throttle": 1,
            "socket_keepalive": True,
            # Above the transport's own blocking read of 10 s at most, so that a Redis that hangs is noticed.
            "socket_timeout": 30.0,
            "socket_connect_timeout": 5.0,
        },
        # Redis may start after the worker, and may be away for any time.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A judgement in hand when the connection breaks is finished: its verdict counts without the acknowledgement.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Nothing listens to events or to remote control; both cost calls to Redis for every task.
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        # Logging is the entry point's.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app
