"""`python -m tests.faults.run`: the long fault run; prints a table and writes var/faults.json.

Every process is real: Redis with AOF, PostgreSQL (or SQLite), workers with the embedded network, stations with their
outboxes. Exit code 0 only if nothing was lost, nothing was judged twice, and nothing was left under way.
"""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import sys
import tempfile
from pathlib import Path

from producer.terminal.logs import configure_logs
from tests.faults.services import FailingDatabase, Postgres, Sqlite
from tests.faults.storm import KINDS, Plan, storm
from tests.support import RedisProcess

RESULTS = Path("var") / "faults.json"


def main() -> int:
    """Run it and return the exit code."""
    parser = argparse.ArgumentParser(description="Kill everything at random under load, and count what became of it.")
    parser.add_argument("--worker-kills", type=int, default=100)
    parser.add_argument("--process-kills", type=int, default=100)
    parser.add_argument("--redis-kills", type=int, default=20)
    parser.add_argument("--redis-wipes", type=int, default=5)
    parser.add_argument("--database-restarts", type=int, default=10)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument(
        "--seed", type=int, default=None, help="the same seed gives the same schedule; random if absent"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    configure_logs(logging.ERROR)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    plan = Plan(*(getattr(options, f"{kind}s") for kind in KINDS), seed)
    print(f"seed {seed}, {options.database}", flush=True)
    with tempfile.TemporaryDirectory(prefix="inserts-faults-") as name:
        folder = Path(name)
        database: FailingDatabase = Postgres() if options.database == "postgresql" else Sqlite(folder)
        server = RedisProcess(folder / "redis")
        server.start()
        try:
            outcome = storm(plan, folder, server, database, lambda line: print(line, flush=True))
        finally:
            server.kill()
            database.close()
    found = outcome.account
    rows: list[tuple[str, object]] = [
        ("submitted", found.submitted),
        ("judged", found.judged),
        ("faults", found.faults),
        ("lost", found.lost),
        ("duplicate verdicts", found.duplicates),
        *((f"longest, over a {kind.replace('_', ' ')}", f"{outcome.longest_seconds[kind]} s") for kind in KINDS),
        ("left under way", found.left or "nothing"),
        ("seconds", outcome.seconds),
    ]
    for what, value in rows:
        print(f"{what:<32} {value}")
    figures = {name: getattr(found, name) for name in ("submitted", "judged", "faults", "lost", "duplicates")}
    figures |= {f"{kind}s": getattr(plan, f"{kind}s") for kind in KINDS}
    figures |= {"seed": seed, "seconds": outcome.seconds, "longest_seconds": outcome.longest_seconds}
    figures |= {"left": found.left, "database": options.database}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if found.lost == found.duplicates == 0 and not found.left else 1


if __name__ == "__main__":
    sys.exit(main())
