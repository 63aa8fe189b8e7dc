"""The judge of a worker process, made before the first message: its models and their networks, ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from prometheus_client.metrics_core import Metric

from db.engine.database import Database
from worker.line.active_models import ActiveModels
from worker.line.judging import Judge
from worker.monitoring.metrics import WorkerMetrics, worker_families
from worker.monitoring.plant_metrics import FunctionCollector
from worker.monitoring.process_state import ProcessState
from worker.networks.store import NetworkStore
from worker.settings import WorkerSettings


def started_judge(settings: WorkerSettings, database: Database, metrics: WorkerMetrics, state: ProcessState) -> Judge:
    """Return a judge with the models that are in charge and in shadow; `metrics` tells which they are.

    Raises:
        ModelError: there is a champion, and this worker cannot use it.
        ValueError: the store of networks is not named as it should be.
    """
    models = ActiveModels(database, settings.models_path(), NetworkStore(settings.networks_root()))
    models.start()
    metrics.registry.register(FunctionCollector(partial(_worker_families, state, models)))
    return Judge(models, metrics, state)


def _worker_families(state: ProcessState, models: ActiveModels) -> Iterator[Metric]:
    return worker_families(
        in_hand=state.in_hand, champion=models.champion_id, shadow=models.shadow_id, refused=models.refused
    )
