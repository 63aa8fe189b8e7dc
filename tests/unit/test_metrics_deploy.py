"""Dashboard and alert rules against the metrics that exist, and the runbook against the alerts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from typer.main import get_command

import db.commands.main
import producer.commands.main
import worker.commands.main
from db.learning.model_registry import Model
from db.queries.line_status import LineStatus
from producer.connect.metrics import sink_families
from producer.contract.connector_report import SinkState
from producer.delivery.metrics import OutboxState, StationMetrics, outbox_families
from tests.metrics_support import Scrape, collected, scrape_of
from worker.monitoring.metrics import (
    FAULTS,
    Backlog,
    LearnMetrics,
    Queue,
    WorkerMetrics,
    backlog_families,
    learn_families,
    line_status_families,
    process_families,
    queue_families,
    worker_families,
)

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "deploy" / "metrics"
DASHBOARD = json.loads((METRICS / "grafana" / "dashboards" / "line.json").read_text(encoding="utf-8"))
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((METRICS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
RUNBOOK = ROOT / "docs" / "operations.md"

SCRAPED = {"job", "instance"}
"""Labels that Prometheus gives everything it scrapes."""


def everything() -> Iterator[Scrape]:
    """What worker, learner and station say, with every label that each of their metrics has."""
    now = datetime.now(UTC)
    model = Model("m", "b", "f", now, ("damaged", "intact"), 1, {}, "m", "d")
    learned = LearnMetrics()
    learned.ended("retrain", True, 1.0)
    yield scrape_of(WorkerMetrics().registry)
    yield scrape_of(learned.registry)
    yield scrape_of(StationMetrics("st-1").registry)
    yield collected(
        outbox_families("st-1", OutboxState(1, 2, 3.0), 4.0),
        process_families(beaten_at=1.0, redis=True, ready=True),
        worker_families(in_hand=1, champion="m", shadow="s", refused=False),
        learn_families(job=None),
        queue_families(Queue(1, 1, now, 0.5), now),
        line_status_families(
            LineStatus(now, dict.fromkeys(FAULTS, 1), 0.5, model, {"st-1": 5}, {"st-1": 172_800}), now
        ),
    )
    yield collected(backlog_families(Backlog(1)))
    yield collected(sink_families([SinkState("mes", True, None, 1.0, False, 1, 1.0, 0, 1, 1.0)], 2.0))


@pytest.fixture(scope="module")
def labels_of() -> dict[str, set[str]]:
    """The names of all samples that there are, each with its labels."""
    found: dict[str, set[str]] = defaultdict(set, {"up": set(SCRAPED)})
    for scrape in everything():
        for sample in scrape.samples:
            found[sample.name] |= sample.labels.keys() | SCRAPED
    return dict(found)


def queries() -> dict[str, str]:
    """Every query of the dashboard and of the rules, by where it stands."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in ALERTS}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            found[f"panel {panel['title']} {target['refId']}"] = target["expr"]
    return found


def expressions(node: Any) -> Iterator[Any]:
    """A parsed query and all that it is made of."""
    yield node
    for name in ("expr", "param", "lhs", "rhs", "vector_selector"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, str | float):
            yield from expressions(child)
    for child in getattr(node, "args", ()):
        yield from expressions(child)


def named(query: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics that a query asks for, each with the labels that it is chosen by and those it is grouped by."""
    parsed = list(expressions(promql_parser.parse(query)))
    grouped = {
        label
        for node in parsed
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None
        for label in node.modifier.labels
    }
    for node in parsed:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name, query
            yield node.name, {matcher.name for matcher in node.matchers.matchers} | grouped


def test_the_reading_of_queries_reads_them_whole() -> None:
    query = 'sum by (a) (rate(x_total{b="1"}[5m])) / on () max_over_time(y[1h:1m]) unless z or (time() - q > bool 1)'
    assert {name for name, _ in named(query)} == {"x_total", "y", "z", "q"}
    assert next(named(query)) == ("x_total", {"a", "b"})


@pytest.mark.parametrize(("place", "query"), queries().items())
def test_every_query_asks_for_metrics_and_labels_that_exist(
    place: str, query: str, labels_of: dict[str, set[str]]
) -> None:
    asked = list(named(query))
    assert asked
    for metric, labels in asked:
        assert metric in labels_of, f"{place}: there is no {metric}"
        assert labels <= labels_of[metric], f"{place}: {metric} has {labels_of[metric]}"


def test_labels_in_words_exist_too(labels_of: dict[str, set[str]]) -> None:
    every = {label for labels in labels_of.values() for label in labels}
    legends = [t["legendFormat"] for panel in DASHBOARD["panels"] for t in panel.get("targets", ())]
    words = [text for rule in ALERTS for text in rule["annotations"].values()]
    used = {name for text in legends for name in re.findall(r"{{\s*(\w+)\s*}}", text)}
    used |= {name for text in words for name in re.findall(r"\$labels\.(\w+)", text)}
    assert used
    assert used <= every


def test_metrics_are_named_by_the_conventions(labels_of: dict[str, set[str]]) -> None:
    ours = {name for name in labels_of if name.startswith("inserts_")}
    assert len(ours) > 40
    units = ("_total", "_seconds", "_bytes", "_ratio", "_info", "_captures", "_messages", "_labels", "_up", "_events")
    exempt = {"inserts_ready", "inserts_redis_connected", "inserts_model_refused", "inserts_open_faults"}
    for name in ours - exempt:
        base = re.sub(r"_(bucket|sum|count)$", "", name.removesuffix("_created"))
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", base)
        assert base.endswith((*units, "_in_hand")) or name.endswith("_created"), name


def test_every_alert_says_how_bad_it_is_what_it_means_and_where_that_is_explained() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert {"summary", "description", "runbook"} == rule["annotations"].keys()
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_every_alert_has_its_section_and_every_such_section_its_alert() -> None:
    sections = re.findall(r"^#+ (Inserts\w+)$", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sections == [rule["alert"] for rule in ALERTS]


def test_every_command_that_the_runbook_names_exists() -> None:
    programs: dict[str, Any] = {
        "insert-db": get_command(db.commands.main.app),
        "insert-station": get_command(producer.commands.main.app),
        "insert-worker": get_command(worker.commands.main.app),
    }
    named = re.findall(r"`(insert-(?:db|station|worker) [^`]+)`", RUNBOOK.read_text(encoding="utf-8"))
    assert len(named) > 15
    for text in named:
        program, *words = text.split()
        command = programs[program]
        for word in words:
            if word.startswith("-"):
                assert any(word in option.opts for option in command.params), text
            elif hasattr(command, "commands"):
                assert word in command.commands, text
                command = command.commands[word]


def test_the_dashboard_s_panels_have_places_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    source = yaml.safe_load((METRICS / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    used = {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())}
    assert used == {source["uid"]}


@pytest.mark.parametrize("command", ["check config prometheus.yml", "test rules alerts_test.yml"])
def test_promtool_agrees(command: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool (Debian's package prometheus) on the PATH")
    done = subprocess.run([promtool, *command.split()], cwd=METRICS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
