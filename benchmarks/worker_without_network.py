"""`python -m benchmarks.worker_without_network`: a real worker whose judgement takes no time.

Message, image, digest, database, answer and acknowledgement are the product's own, with the product's processes and
settings.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from producer.terminal.logs import configure_logs
from worker.line import child
from worker.line.serve import serve
from worker.models.line_model import Judgement
from worker.settings import WorkerSettings


class JudgeAtOnce:
    """A judge that has no network and calls every insert intact."""

    model_in_charge = None

    def __init__(self, *_: object) -> None:
        """Take what a judge takes."""

    def judge_all(self, images: Sequence[object]) -> list[Judgement]:
        """Judge nothing."""
        return [Judgement("intact") for _ in images]


def main() -> int:
    """Carry captures until SIGTERM, with the settings of the environment; `--ready-file FILE` as of a worker."""
    configure_logs(logging.INFO)
    ready_file = Path(sys.argv[2]) if sys.argv[1:2] == ["--ready-file"] else None
    with patch.object(child, "Judge", JudgeAtOnce):
        return serve(WorkerSettings(), ready_file)


if __name__ == "__main__":
    sys.exit(main())
