"""`python -m tests.faults.run`: the long fault run; prints a table and writes var/faults.json.

Every process is real: Redis with AOF, PostgreSQL (or SQLite), workers with the embedded network, stations with their
outboxes, and where there is a mosquitto a broker that is told everything. Exit code 0 only if nothing was lost, nothing
was judged or told twice, and nothing was left under way.
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
from tests.faults.told import ToldBroker
from tests.integration.plant import MOSQUITTO
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
    parser.add_argument("--broker-kills", type=int, default=10, help="of a mosquitto that is told everything, if any")
    parser.add_argument("--connector-kills", type=int, default=10, help="of the process that tells it")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument(
        "--seed", type=int, default=None, help="the same seed gives the same schedule; random if absent"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    configure_logs(logging.ERROR)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    if MOSQUITTO is None:
        print("there is no mosquitto here (Debian: mosquitto): nobody is told", flush=True)
        options.broker_kills = options.connector_kills = 0
    plan = Plan(**{f"{kind}s": getattr(options, f"{kind}s") for kind in KINDS}, seed=seed)
    print(f"seed {seed}, {options.database}", flush=True)
    with tempfile.TemporaryDirectory(prefix="inserts-faults-") as name:
        folder = Path(name)
        database: FailingDatabase = Postgres() if options.database == "postgresql" else Sqlite(folder)
        server = RedisProcess(folder / "redis")
        server.start()
        broker = None if MOSQUITTO is None else ToldBroker(folder, server)
        try:
            outcome = storm(plan, folder, server, database, lambda line: print(line, flush=True), broker)
        finally:
            if broker is not None:
                broker.close()
            server.kill()
            database.close()
    found = outcome.account
    told = {} if outcome.told is None else vars(outcome.told)
    rows: list[tuple[str, object]] = [
        ("submitted", found.submitted),
        ("judged", found.judged),
        ("faults", found.faults),
        ("lost", found.lost),
        ("duplicate verdicts", found.duplicates),
        *((f"longest, over a {kind.replace('_', ' ')}", f"{outcome.longest_seconds[kind]} s") for kind in KINDS),
        ("left under way", found.left or "nothing"),
        *((f"told to the broker: {name}", count) for name, count in told.items()),
        ("seconds", outcome.seconds),
    ]
    for what, value in rows:
        print(f"{what:<32} {value}")
    figures = {name: getattr(found, name) for name in ("submitted", "judged", "faults", "lost", "duplicates")}
    figures |= {f"{kind}s": getattr(plan, f"{kind}s") for kind in KINDS}
    figures |= {"seed": seed, "seconds": outcome.seconds, "longest_seconds": outcome.longest_seconds}
    figures |= {"left": found.left, "database": options.database, "told": told}
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    kept = found.lost == found.duplicates == told.get("lost", 0) == told.get("duplicates", 0) == 0
    return 0 if kept and not found.left else 1


if __name__ == "__main__":
    sys.exit(main())
