from __future__ import annotations

import subprocess
import sys


def test_postgresql_s_driver_is_loaded_before_tensorflow() -> None:
    """The other way round a worker dies at its first connection to PostgreSQL over TLS (test_postgres_tls.py)."""
    listed = "import sys, worker.networks.building, worker.backbones.backbone; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert loaded.index("psycopg") < loaded.index("tensorflow")
