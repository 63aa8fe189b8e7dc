"""The inspect queue's messages as a worker builds them, and their way onto the queue."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from datetime import datetime

from producer.contract.event import INSPECT_QUEUE, INSPECT_TASK
from worker.broker.patient_redis import connect_patiently


def celery_message(text: str, message_id: str, *, retries: int = 0, eta: datetime | None = None) -> bytes:
    """A Celery message of that id for the inspect task. Its one argument is `text`, the JSON of one event or more.

    It asks for nothing before `eta`, and has come back `retries` times.
    """
    message = {
        "body": base64.b64encode(json.dumps([[text], {}, {}]).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": INSPECT_TASK, "id": message_id, "retries": retries, "eta": eta and eta.isoformat()},
        "properties": {
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
            "delivery_info": {"exchange": "", "routing_key": INSPECT_QUEUE},
        },
    }
    return json.dumps(message).encode()


class MessageSender:
    """Puts messages onto the inspect queue."""

    def __init__(self, redis_url: str):
        self._redis = connect_patiently(redis_url)

    def send(self, messages: Sequence[bytes]) -> None:
        """Put them behind what waits already; sent twice after an error that was none, they do no harm.

        Raises:
            redis.RedisError: Redis is away or full; whether they arrived is not known.
        """
        if messages:
            self._redis.lpush(INSPECT_QUEUE, *messages)

    def close(self) -> None:
        """Drop the connections."""
        self._redis.close()
