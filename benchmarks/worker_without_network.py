"""`python -m benchmarks.worker_without_network`: a real worker whose judgement takes no time.

Message, image, digest, database, answer and acknowledgement are the product's own, with the product's settings.
"""

from __future__ import annotations

import logging
import sys
from typing import cast

from db.engine.database import Database
from producer.contract.event import Region
from producer.terminal.logs import configure_logs
from worker.broker.app import make_app
from worker.line.inspector import Inspector
from worker.line.judging import Judge
from worker.line.notifier import Notifier
from worker.line.tasks import register
from worker.models.line_model import Judgement
from worker.monitoring.metrics import WorkerMetrics
from worker.settings import WorkerSettings


class JudgeAtOnce:
    """A judge that has no network and calls every insert intact."""

    model_in_charge = None

    def judge(self, _image: bytes, _region: Region | None) -> Judgement:
        """Judge nothing."""
        return Judgement("intact")


def main() -> int:
    """Carry captures until SIGTERM, with the settings of the environment."""
    configure_logs(logging.INFO)
    settings = WorkerSettings()
    database = Database(settings.url)
    app = make_app(settings.broker_url())
    notifier = Notifier(settings.broker_url())

    judge = cast(Judge, JudgeAtOnce())
    register(app, Inspector(database, settings.image_store(), judge, notifier, WorkerMetrics()))
    worker = app.Worker(
        pool="threads",
        concurrency=settings.threads,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
