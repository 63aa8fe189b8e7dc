"""What a worker is told from outside: environment variables that begin with `INSERTS_`."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr

from db.settings import DatabaseSettings
from producer.contract.plant_event import PLANT_LENGTH
from producer.settings import StationSettings
from worker.models.costs import Costs
from worker.monitoring.heartbeat import ProcessRole
from worker.networks.default_backbone import DEFAULT_BACKBONE
from worker.runtime.process import NICENESS, usable_cores


class WorkerSettings(StationSettings, DatabaseSettings):
    """Settings of `insert-worker`: where events and images come from (`StationSettings`), where verdicts go
    (`DatabaseSettings`), and what judges.
    """

    backbone: str = Field(
        default=DEFAULT_BACKBONE,
        description="What learning extracts and trains on; a model brings its own.",
    )
    weights: str | None = Field(
        default=None, description="imagenet, a file, or a name in `weights list`, for a network that is to be built."
    )
    weights_folder: Path | None = Field(default=None, description="Imported weight files; default DATA/weights.")
    networks: str | None = Field(
        default=None, description="Networks as files: a folder or s3://BUCKET/FOLDER; default DATA/networks."
    )
    models: Path | None = Field(default=None, description="Trained models; default DATA/models.")
    processes: int = Field(
        default_factory=usable_cores, ge=1, le=256, description="Processes that judge; default: one a core."
    )
    judge_timeout: float = Field(
        default=60.0, gt=0, description="Seconds that judging a message may take; then its process ends."
    )
    grace: float = Field(
        default=15.0, gt=0, description="Seconds from SIGTERM to the end; below the supervisor's own patience."
    )
    heartbeat: Path | None = Field(
        default=None,
        description="This process's life sign, a file of its own for each; default DATA/run/ROLE.heartbeat.",
    )
    plant_stream: int = Field(
        default=PLANT_LENGTH,
        ge=0,
        description="Answers that are kept for `insert-station connect`, the newest; 0: none, where nobody is told.",
    )
    missed_damaged: float = Field(default=20.0, gt=0, description="What a damaged insert that stays in costs.")
    needless_change: float = Field(default=5.0, gt=0, description="What changing an intact insert costs.")
    look: float = Field(default=1.0, gt=0, description="What it costs that a person looks; only the ratios count.")
    enough_new_labels: int = Field(default=50, ge=1, description="New labels from which on a training is worth it.")
    reextract_every: float = Field(default=300.0, ge=1, description="Seconds between looks for missing features.")
    retrain_every: float = Field(default=900.0, ge=1, description="Seconds between looks for enough new labels.")
    evaluate_every: float = Field(default=900.0, ge=1, description="Seconds between looks for an unmeasured candidate.")
    drift_every: float = Field(default=3600.0, ge=1, description="Seconds between looks for days to measure for drift.")
    lives_every: float = Field(default=900.0, ge=1, description="Seconds between fits of how long inserts last.")
    niceness: int = Field(
        default=NICENESS, ge=0, le=19, description="How much nicer learning is than the line: 0 takes an equal share."
    )
    failpoint: str = Field(default="", description="For tests only: see worker.runtime.failpoints.")

    def weights_path(self) -> Path:
        """The folder of imported weight files."""
        return self.weights_folder or self.data / "weights"

    def networks_root(self) -> str:
        """Where networks are kept: a path, or the URL of an object store."""
        return self.networks or str(self.data / "networks")

    def models_path(self) -> Path:
        """The folder that trained models are kept in."""
        return self.models or self.data / "models"

    def features_path(self) -> Path:
        """The folder of the feature store."""
        return self.data / "features"

    def evaluations_path(self) -> Path:
        """The folder of the evaluations, one folder in it for each model."""
        return self.data / "evaluations"

    def schedule_path(self) -> Path:
        """The file in which beat remembers when it last asked for what."""
        return self.data / "run" / "beat.json"

    def costs(self) -> Costs:
        """What wrong answers and looks cost."""
        return Costs(self.missed_damaged, self.needless_change, self.look)

    def heartbeat_path(self, role: ProcessRole = "worker") -> Path:
        """The file of the heartbeat of a process of that role."""
        return self.heartbeat or self.data / "run" / f"{role}.heartbeat"

    def environment(self) -> dict[str, str]:
        """This process's environment with these settings in it: what a child process needs to have the same."""
        environment = dict(os.environ)
        for name in self.model_fields_set:
            value = getattr(self, name)
            if value is None:
                environment.pop(f"INSERTS_{name.upper()}", None)
            else:
                shown = value.get_secret_value() if isinstance(value, SecretStr) else value
                environment[f"INSERTS_{name.upper()}"] = str(shown)
        return environment
