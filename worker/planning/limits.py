"""The limits of the parts: warnings about a plan, and the bottleneck as the plant grows."""

from __future__ import annotations

import math
from operator import itemgetter
from typing import Final

from worker.planning.measurements import Figures
from worker.planning.plan import FULLEST, LARGEST_DATABASE, Plan, fewest_workers

LARGEST_REDIS: Final = 32e9
"""Bytes of memory of one Redis that is still ordinary, and loaded again within minutes after a restart."""

BUSIEST_STORE: Final = 100e6
"""Bytes a second that one file server's network of 1 Gbit/s carries, one way."""

LARGEST_STORE: Final = 10e12
"""Bytes of images from which on an object store of several machines is better than one machine's disks."""

LARGEST_TABLES: Final = 2e12
"""Bytes of a database that is still backed up and restored within a night."""


def warnings(needs: Plan, figures: Figures, outbox_limit: int) -> list[str]:
    """What a person should know before building this; each says what to do."""
    rate, busy = needs.load.captures_per_second, needs.waits.utilisation
    sentences = []
    if busy >= 1:
        sentences.append(
            f"{needs.workers} workers judge {needs.workers * figures.worker.per_second:.0f} captures/s, but {rate:.0f} "
            f"come in: the queue grows for ever. Take {fewest_workers(needs.load, figures)} or more"
        )
    elif busy > FULLEST:
        sentences.append(
            f"the workers are busy {busy:.0%} of the time; beyond {FULLEST:.0%} waits grow faster than "
            f"the load, and an outage is hardly caught up with. Take {fewest_workers(needs.load, figures)} or more"
        )
    if needs.redis_share > FULLEST:
        parts = math.ceil(needs.redis_share / FULLEST)
        sentences.append(
            f"one Redis carries {figures.redis.per_second:,.0f} captures/s, and {rate:,.0f} come in: part the stations "
            f"into {parts} groups, each with a Redis and workers of its own on the same database"
        )
    if needs.stores.redis_memory > LARGEST_REDIS:
        parts = math.ceil(needs.stores.redis_memory / LARGEST_REDIS)
        sentences.append(
            f"Redis needs {needs.stores.redis_memory / 1e9:,.0f} GB after an outage of {needs.outage.seconds:g} s: "
            f"part the stations into {parts} groups, each with a Redis of its own, or see that an outage ends sooner"
        )
    if needs.database == "postgresql" and needs.database_share > FULLEST:
        parts = math.ceil(needs.database_share / FULLEST)
        sentences.append(
            f"the database needs {needs.database_cores:,.0f} cores, more than {LARGEST_DATABASE}: give {parts} groups "
            "of stations a PostgreSQL each"
        )
    if needs.stores.database > LARGEST_TABLES:
        sentences.append(
            f"the database grows to {needs.stores.database / 1e12:,.1f} TB: keep verdicts for less long "
            "(`insert-db prune`), or part the stations into groups with a database each"
        )
    if needs.stores.images > LARGEST_STORE:
        sentences.append(
            f"the images grow to {needs.stores.images / 1e12:,.0f} TB: keep them in an object store (INSERTS_IMAGES="
            "s3://…), and for fewer days (`insert-db prune`)"
        )
    if needs.image_network > BUSIEST_STORE:
        sentences.append(
            f"the image store takes {8 * needs.image_network / 1e9:,.1f} Gbit/s in and as much out: more than one "
            "file server's network; an object store of several machines carries it"
        )
    if needs.outage.waiting > outbox_limit:
        sentences.append(
            f"after an outage of {needs.outage.seconds:g} s each station's outbox holds {needs.outage.waiting:,.0f} "
            f"captures, more than it may ({outbox_limit:,}): raise INSERTS_OUTBOX_LIMIT, or it refuses new ones"
        )
    return sentences


def ends_first(needs: Plan) -> tuple[str, int]:
    """The bottleneck when stations are added, and at how many stations, each loaded as these are.

    Workers are not among them: they are added.
    """
    stations = needs.load.stations
    shares = {
        "Redis (one thread)": needs.redis_share / FULLEST,
        "Redis (memory)": needs.stores.redis_memory / LARGEST_REDIS,
        f"{'SQLite' if needs.database == 'sqlite' else 'PostgreSQL'} (writes)": needs.database_share / FULLEST,
        "image store (network)": needs.image_network / BUSIEST_STORE,
    }
    name, share = max(shares.items(), key=itemgetter(1))
    return name, math.floor(stations / share)
