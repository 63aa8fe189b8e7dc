"""What the judging processes use: prometheus_client knows the process that is scraped, which only takes messages."""

from __future__ import annotations

import resource
from collections.abc import Collection, Iterator

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric


def pool_families(pids: Collection[int]) -> Iterator[Metric]:
    """The processor time of this process's children, those that have ended included, and the memory of these."""
    seconds, resident = 0.0, 0.0
    for pid in pids:
        used = _used(pid)
        seconds += used.get("process_cpu_seconds_total", 0.0)
        resident += used.get("process_resident_memory_bytes", 0.0)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield CounterMetricFamily(
        "inserts_pool_cpu_seconds",
        "Processor time of the processes that judge, in this worker.",
        seconds + ended.ru_utime + ended.ru_stime,
    )
    yield GaugeMetricFamily(
        "inserts_pool_resident_memory_bytes",
        "Memory of the processes that judge; what they share is in it once for each.",
        resident,
    )


def _used(pid: int) -> dict[str, float]:
    """What a process uses, by prometheus_client's names; nothing of one that has ended."""
    families = ProcessCollector(pid=lambda: pid, registry=None).collect()
    return {sample.name: sample.value for family in families for sample in family.samples}
