"""Reading what processes serve to Prometheus."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


class Scrape:
    """The samples of one scrape."""

    def __init__(self, families: Iterator[Metric]):
        self.samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the one sample of that name and those labels, among others; None where there is none."""
        found = [each.value for each in self.samples if each.name == name and labels.items() <= each.labels.items()]
        assert len(found) <= 1, f"{name} {labels} is not one sample"
        return found[0] if found else None

    def labels(self, name: str) -> list[Mapping[str, str]]:
        """The labels of all samples of that name."""
        return [each.labels for each in self.samples if each.name == name]

    def names(self) -> set[str]:
        return {each.name for each in self.samples}


def listens(port: int) -> bool:
    """Whether anything serves metrics at this port already."""
    try:
        return bool(scraped(port).samples)
    except OSError:
        return False


def scraped(port: int) -> Scrape:
    """What the process that serves its metrics at this port says now."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return Scrape(text_string_to_metric_families(answer.read().decode()))


def scrape_of(registry: CollectorRegistry) -> Scrape:
    """What a process that serves this registry would say now."""
    return Scrape(iter(registry.collect()))


def collected(*families: Iterator[Metric]) -> Scrape:
    """What a registry would say that holds these families."""

    class Given(Collector):
        def collect(self) -> Iterator[Metric]:
            for each in families:
                yield from each

    registry = CollectorRegistry()
    registry.register(Given())
    return Scrape(iter(registry.collect()))
