"""What a worker is told from outside: environment variables that begin with ``INSERTS_``."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr

from db.settings import DatabaseSettings
from producer.settings import StationSettings


class WorkerSettings(StationSettings, DatabaseSettings):
    """Settings of ``insert-worker``: where events and images come from (`StationSettings`), where verdicts go
    (`DatabaseSettings`), and what judges.
    """

    backbone: str = Field(default="insertnet", description="The network and layer that features are taken from.")
    weights: str | None = Field(
        default=None, description="imagenet, embedded, a file, or a name in `weights list`; default: the backbone's."
    )
    weights_folder: Path | None = Field(default=None, description="Imported weight files; default DATA/weights.")
    models: Path | None = Field(default=None, description="Trained models; default DATA/models.")
    threads: int = Field(default=32, ge=1, le=256, description="Captures in hand at once.")
    max_batch: int = Field(default=32, ge=1, le=1024, description="Images in one forward pass at most.")
    forward_timeout: float = Field(default=60.0, gt=0, description="Seconds of a forward pass; then the worker ends.")
    grace: float = Field(
        default=15.0, gt=0, description="Seconds from SIGTERM to the end; below the supervisor's own patience."
    )
    heartbeat: Path | None = Field(
        default=None,
        description="The worker's life sign, a file of its own for each; default DATA/run/worker.heartbeat.",
    )
    failpoint: str = Field(default="", description="For tests only: see worker.failpoints.")

    def weights_path(self) -> Path:
        """The folder of imported weight files."""
        return self.weights_folder or self.data / "weights"

    def models_path(self) -> Path:
        """The folder that trained models are kept in."""
        return self.models or self.data / "models"

    def heartbeat_path(self) -> Path:
        """The file of the worker's heartbeat."""
        return self.heartbeat or self.data / "run" / "worker.heartbeat"

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
